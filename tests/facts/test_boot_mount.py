"""How /srv/data comes back, from fstab and units as people write them."""

from __future__ import annotations

import pytest

from sesam_audit.asks import File, FileAnswer, Files, FilesAnswer, Stat
from sesam_audit.errors import Unknown
from sesam_audit.facts.boot_mount import BootMount
from sesam_audit.facts.fstab import BootEntry, parse_fstab, unit_name
from sesam_audit.facts.inspection import Inspection
from sesam_audit.facts.mounts import MOUNTINFO

from .machine import find, matches
from .sesam_host import Answers, link, there

ETC = "/etc/systemd/system"
DROP_INS = f"{ETC}/docker.service.d"
BEFORE = "nofail,x-systemd.required-by=docker.service,x-systemd.before=docker.service"
WAITS = "[Unit]\nRequiresMountsFor=/srv/data"
LINE = "UUID=1234-abcd  /srv/data  ext4  defaults  0  2\n"
UNIT = "[Mount]\nWhat=/dev/disk/by-uuid/1234-abcd\nWhere=/srv/data\nType=ext4\n"
WANTS = {f"{ETC}/*.wants/srv-data.*": {f"{ETC}/multi-user.target.wants/srv-data.mount": UNIT}}


def boot(fstab: str = "", **more: Answers) -> BootMount:
    answers: Answers = {File("/etc/fstab"): FileAnswer(text=fstab)}
    for each in more.values():
        answers |= each
    return find(BootMount, answers, rounds=3 if Stat("/srv/data") in answers else 2)


RUNNING: Answers = {
    Stat("/proc/version"): there("file"),
    File(MOUNTINFO, limit=262_144): FileAnswer(text="1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"),
}


def mounted(source: str = "/dev/sdb1", fstype: str = "ext4") -> Answers:
    text = f"30 1 8:17 / /srv/data rw - {fstype} {source} rw\n"
    return {**RUNNING, File(MOUNTINFO, limit=262_144): FileAnswer(text=text)}


def docker(text: str) -> Answers:
    return matches({f"{DROP_INS}/*.conf": {f"{DROP_INS}/override.conf": text}})


def test_a_line_in_fstab() -> None:
    found = boot(f"/dev/mapper/vg-data{LINE[14:]}", mounts=mounted("/dev/mapper/vg-data"))

    assert (found.inspect(), found.inspect_order()) == (Inspection(), Inspection())


def test_an_image_has_files_alone() -> None:
    found = boot(LINE)

    assert not found.inspect().problems
    assert not found.inspect().doubts
    assert "shows only on a running machine" in found.inspect().notes[0]


def test_a_line_that_names_no_type() -> None:
    (problem,) = boot("UUID=1234-abcd /srv/data\n", mounts=mounted()).inspect().problems

    assert "names no type, so mount passes it over" in problem


@pytest.mark.parametrize(
    "fstab",
    [
        "# UUID=1 /srv/data ext4 defaults 0 2\n",
        "UUID=1 /srv/database ext4 defaults 0 2\n",
        "UUID=1 /srv ext4 defaults 0 2\n",
        "",
    ],
)
def test_no_line(fstab: str) -> None:
    assert "nothing mounts /srv/data at boot" in boot(fstab).inspect().problems[0]


@pytest.mark.parametrize(
    "line",
    [
        "UUID=1\t/srv/data/\text4",
        "LABEL=data /srv/data xfs defaults,nofail,x-systemd.automount,noauto 0 0",
        "/dev/vg0/data /srv/data xfs noatime 0 0",
        "files:/export/sesam /srv/data nfs4 _netdev 0 0",
    ],
)
def test_lines_as_people_write_them(line: str) -> None:
    assert not boot(line + "\n").inspect().problems


@pytest.mark.parametrize(
    ("options", "words"), [("defaults,noauto", "says noauto"), ("ro", "read-only")]
)
def test_lines_that_do_not_bring_it_back(options: str, words: str) -> None:
    assert words in boot(f"UUID=1 /srv/data ext4 {options} 0 2").inspect().problems[0]


def test_escapes_in_fstab() -> None:
    (entry,) = parse_fstab("/my\\040disk /srv/my\\040data ext4\n")

    assert entry == BootEntry("/my disk", "/srv/my data", "ext4", ("",), words=3)


def test_an_fstab_that_may_not_be_read() -> None:
    with pytest.raises(Unknown, match="needs root"):
        find(BootMount, {File("/etc/fstab"): FileAnswer(error="EACCES")})


def test_an_enabled_mount_unit() -> None:
    unit = matches({f"{ETC}/srv-data.*": {f"{ETC}/srv-data.mount": UNIT}, **WANTS})

    assert not boot(unit=unit).inspect().problems


def test_a_mount_unit_that_nothing_starts() -> None:
    unit = matches({f"{ETC}/srv-data.*": {f"{ETC}/srv-data.mount": UNIT}})

    assert "srv-data.mount is there, but not enabled" in boot(unit=unit).inspect().problems[0]


def test_a_mount_unit_that_docker_requires() -> None:
    unit = matches({f"{ETC}/srv-data.*": {f"{ETC}/srv-data.mount": UNIT}})

    assert (
        not boot(unit=unit, docker=docker("[Unit]\nRequiresMountsFor=/srv/data")).inspect().problems
    )


def test_an_enabled_automount_unit() -> None:
    unit = matches(
        {
            f"{ETC}/srv-data.*": {f"{ETC}/srv-data.mount": UNIT},
            f"{ETC}/*.wants/srv-data.*": {f"{ETC}/local-fs.target.wants/srv-data.automount": ""},
        }
    )
    found = boot(unit=unit)

    assert not found.inspect().problems
    assert "x-systemd.automount" in found.inspect_order().problems[0]


def test_zfs_brings_itself_back() -> None:
    found = boot(mounts=mounted("tank/data", "zfs"))

    assert not found.inspect().problems
    assert "ZFS's own mountpoint property" in found.inspect().notes[0]
    assert not found.inspect_order().problems


@pytest.mark.parametrize(
    "source",
    [
        "UUID=1",
        "LABEL=data",
        "PARTUUID=1",
        "/dev/disk/by-id/scsi-1",
        "/dev/mapper/vg-data",
        "/dev/vg/data",
        "files:/export",
        "tank/data",
    ],
)
def test_names_that_stay(source: str) -> None:
    assert BootEntry(source, "/srv/data").stable


@pytest.mark.parametrize(
    "source", ["/dev/sdb", "/dev/sdb1", "/dev/vdb", "/dev/nvme1n1p1", "/dev/xvdf"]
)
def test_names_that_may_move(source: str) -> None:
    (problem,) = boot(f"{source} /srv/data ext4 defaults 0 2").inspect_order().problems

    assert f"names {source}, a name that may move" in problem


@pytest.mark.parametrize("options", ["nofail", "_netdev", "noauto,x-systemd.automount"])
def test_docker_may_start_too_early(options: str) -> None:
    line = f"UUID=1 /srv/data ext4 defaults,{options} 0 2"
    (problem,) = boot(line).inspect_order().problems

    assert "Docker does not wait" in problem


def test_network_file_systems_are_late_by_themselves() -> None:
    assert boot("files:/x /srv/data nfs defaults 0 0").inspect_order().problems


@pytest.mark.parametrize(
    "drop_in",
    [
        "[Unit]\nRequiresMountsFor=/srv/data\n",
        "[Unit]\nRequiresMountsFor=/var/lib/docker /srv/data\n",
        "[Unit]\nRequiresMountsFor=/srv/data/sesam\n",
        "[Unit]\nRequires=srv-data.mount\nAfter=srv-data.mount\n",
    ],
)
def test_docker_waits(drop_in: str) -> None:
    line = "UUID=1 /srv/data ext4 nofail 0 2"

    assert not boot(line, docker=docker(drop_in)).inspect_order().problems


@pytest.mark.parametrize(
    "drop_in",
    [
        "[Unit]\nRequiresMountsFor=/srv/database\n",
        "[Unit]\n# RequiresMountsFor=/srv/data\n",
        "[Unit]\nRequires=srv-data.mount\n",
    ],
)
def test_docker_does_not_really_wait(drop_in: str) -> None:
    line = "UUID=1 /srv/data ext4 nofail 0 2"

    assert boot(line, docker=docker(drop_in)).inspect_order().problems


LATE = "UUID=1 /srv/data ext4 nofail 0 2"


def hidden(pattern: str, path: str, error: str = "EACCES", **files: str) -> Answers:
    return {Files(pattern): FilesAnswer(files=files, errors={path: error})}


@pytest.mark.parametrize("path", [f"{DROP_INS}/proxy.conf", DROP_INS])
def test_whether_docker_waits_may_stand_in_what_only_root_reads(path: str) -> None:
    found = boot(LATE, docker=hidden(f"{DROP_INS}/*.conf", path)).inspect_order()

    assert not found.problems
    assert found.unknown is not None
    assert str(found.unknown) == f"needs root: {path} is not readable"
    assert found.unknown.command.startswith("systemctl show docker.service")


def test_what_only_root_reads_does_not_matter_where_docker_is_seen_to_wait() -> None:
    docker = hidden(f"{DROP_INS}/*.conf", f"{DROP_INS}/proxy.conf")
    unit = matches({f"{ETC}/docker.service": {f"{ETC}/docker.service": f"{WAITS}\n"}})

    assert boot(LATE, docker=docker, unit=unit).inspect_order() == Inspection()
    assert boot(LINE, docker=docker).inspect_order() == Inspection()
    assert boot(f"{LATE.replace('nofail', BEFORE)}", docker=docker).inspect_order() == Inspection()


def test_a_drop_in_that_leads_nowhere_is_read_by_nobody() -> None:
    docker = hidden(f"{DROP_INS}/*.conf", f"{DROP_INS}/gone.conf", "ENOENT")

    assert "Docker does not wait" in boot(LATE, docker=docker).inspect_order().problems[0]


@pytest.mark.parametrize(
    "pattern",
    [f"{ETC}/srv-data.*", f"{ETC}/*.wants/srv-data.*", "/usr/lib/systemd/system/srv-data.*"],
)
def test_a_unit_may_lie_where_only_root_looks(pattern: str) -> None:
    found = boot(units=hidden(pattern, "/etc/systemd/system")).inspect()

    assert not found.problems
    assert "needs root: /etc/systemd/system is not readable" in str(found.unknown)
    assert not boot(LINE, units=hidden(pattern, "/etc/systemd/system")).inspect().doubts


def test_whether_a_units_mount_is_started_may_stand_in_what_only_root_reads() -> None:
    unit = matches({f"{ETC}/srv-data.*": {f"{ETC}/srv-data.mount": UNIT}})
    docker = hidden(f"{DROP_INS}/*.conf", f"{DROP_INS}/proxy.conf")
    found = boot(unit=unit, docker=docker).inspect()

    assert not found.problems
    assert "needs root" in str(found.unknown)


def test_docker_waits_by_fstab_s_own_words() -> None:
    assert not boot(f"UUID=1 /srv/data ext4 {BEFORE} 0 2").inspect_order().problems


def test_of_two_lines_systemd_takes_the_first() -> None:
    good, bad = "UUID=1 /srv/data ext4 defaults 0 2\n", "UUID=2 /srv/data ext4 noauto 0 2\n"
    right, wrong = boot(good + bad).inspect(), boot(bad + good).inspect()

    assert not right.problems
    assert (
        "2 lines for /srv/data: systemd takes the first, UUID=1, and not UUID=2" in right.notes[0]
    )
    assert "says noauto" in wrong.problems[0]


LED: Answers = {Stat("/srv/data"): link("/data", inode=3)}


@pytest.mark.parametrize("target", ["/data", "/srv/data"])
def test_a_link_at_srv_data_in_fstab(target: str) -> None:
    mounts: Answers = {
        **RUNNING,
        File(MOUNTINFO, limit=262_144): FileAnswer(
            text="30 1 8:17 / /data rw - ext4 /dev/sdb1 rw\n"
        ),
    }
    disk: Answers = {
        Stat("/dev/disk/by-uuid/1"): link("/dev/sdc1", inode=17, kind="block"),
        Stat("/dev/sdb1"): link("/dev/sdb1", inode=33, kind="block"),
    }
    line = f"UUID=1 {target} ext4 defaults 0 2"

    assert not boot(line, led=LED).inspect().problems
    assert "/dev/sdb1 is mounted now" in boot(line, led=LED, m=mounts, d=disk).inspect().problems[0]


def test_a_link_at_srv_data_and_a_mount_unit() -> None:
    unit = matches({f"{ETC}/data.*": {f"{ETC}/data.mount": UNIT.replace("/srv", "")}})
    wants = matches({f"{ETC}/*.wants/data.*": {f"{ETC}/multi-user.target.wants/data.mount": ""}})
    answers: Answers = {File("/etc/fstab"): FileAnswer(text=""), **LED, **unit}

    assert "data.mount is there, but not en" in find(BootMount, answers).inspect().problems[0]
    assert not find(BootMount, answers | wants).inspect().problems


def test_docker_waits_for_what_a_link_leads_to() -> None:
    line = "UUID=1 /data ext4 nofail 0 2"
    to_link, to_mount = docker("RequiresMountsFor=/srv/data"), docker("RequiresMountsFor=/data")

    assert boot(line, led=LED, docker=to_link).inspect_order().problems
    assert not boot(line, led=LED, docker=to_mount).inspect_order().problems


@pytest.mark.parametrize(
    ("path", "name"),
    [("/srv/data", "srv-data"), ("/my-data/é", r"my\x2ddata-\xc3\xa9"), ("/.d", r"\x2ed")],
)
def test_names_of_units(path: str, name: str) -> None:
    assert unit_name(path) == name
