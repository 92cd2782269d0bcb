from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sesam_audit.errors import AuditError, UsageError
from sesam_audit.writing import check_writable, write


def test_a_report_is_for_its_owner_only(tmp_path: Path) -> None:
    write(tmp_path / "report.json", "ø")

    assert (tmp_path / "report.json").read_text("utf-8") == "ø"
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o600


def test_an_old_report_is_replaced_whole_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("a much longer old report")
    path.chmod(0o644)
    write(path, "new")

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_keeps_leading_to_the_report(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(tmp_path / "report.json")
    write(tmp_path / "latest", "new")

    assert (tmp_path / "latest").is_symlink()
    assert (tmp_path / "report.json").read_text() == "new"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_nothing_is_left_when_writing_fails(
    tmp_path: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((AuditError, KeyboardInterrupt)):
        write(path, "new")

    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AuditError, match=r"report\.json: No space left on device"):
        write(tmp_path / "report.json", "new")


def test_text_that_is_not_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "report.txt", "a\ud800b")

    assert (tmp_path / "report.txt").read_text() == "a\\ud800b"


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.json")

    assert not [*tmp_path.iterdir()]


def test_looking_does_not_touch_an_old_report(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")
    check_writable(tmp_path / "report.json")

    assert (tmp_path / "report.json").read_text() == "old"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing/report.json", r"there is no folder .*missing\. Create it: mkdir -p "),
        ("", "it is a folder"),
        ("file/report.json", "there is no folder"),
    ],
)
def test_a_path_that_cannot_be_written_is_a_usage_error(
    tmp_path: Path, path: str, words: str
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=words):
        check_writable(tmp_path / path)


def test_a_folder_that_refuses_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="cannot be written to /proc/report"):
        check_writable("/proc/report.json")


def test_a_name_that_is_too_long_is_a_usage_error_or_found_when_writing(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="File name too long"):
        write(tmp_path / ("x" * 300), "new")


def test_a_device_is_written_to_and_stays_one() -> None:
    check_writable("/dev/null")
    write("/dev/null", "new")

    assert Path("/dev/null").is_char_device()


def test_a_pipe_of_the_shell_gets_the_report(tmp_path: Path) -> None:
    program = (
        "from sesam_audit.writing import *; import sys;"
        "check_writable(sys.argv[1]); write(sys.argv[1], 'through the pipe')"
    )
    command = f'{sys.executable} -c "{program}" >(cat > {tmp_path}/out); sleep 0.5'
    subprocess.run(["/bin/bash", "-c", command], check=True)

    assert (tmp_path / "out").read_text() == "through the pipe"
