"""Real programs at the other end of the pipes, all of them badly behaved."""

from __future__ import annotations

import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sesam_audit.channel import FRAME_LIMIT, NOISE_LIMIT, Channel, ChannelError, end_all

MARKER = "0123456789abcdef"
Open = Callable[[str], Channel]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Channels to Python programs and shell lines; all are closed in the end."""
    channels: list[Channel] = []

    def start(line: str) -> Channel:
        channels.append(Channel(line, MARKER))
        return channels[-1]

    yield start
    for channel in channels:
        channel.close()


def python(text: str) -> str:
    head = (
        "import os, sys, time\n"
        "def put(data, to=1):\n"
        "    while data: data = data[os.write(to, data):]\n"
        "def frame(data): put(b'\\n%s %d\\n' % (b'MARKER', len(data)) + data)\n"
    ).replace("MARKER", MARKER)
    return f"{shlex.quote(sys.executable)} -I -S -c {shlex.quote(head + text)}"


def shell(text: str) -> str:
    return f"sh -c {shlex.quote(text)}"


def test_a_frame_is_its_bytes(opened: Open) -> None:
    assert opened(python(r"frame(b'hello\n\x00\xff')")).frame(5) == b"hello\n\x00\xff"


def test_frames_come_one_after_the_other(opened: Open) -> None:
    channel = opened(python("frame(b'one'); frame(b''); frame(b'two')"))
    assert [channel.frame(5) for _ in range(3)] == [b"one", b"", b"two"]


def test_a_conversation_goes_back_and_forth(opened: Open) -> None:
    channel = opened(python("for line in sys.stdin.buffer: frame(line.upper())"))
    for word in (b"a\n", b"b\n"):
        channel.send(word)
        assert channel.frame(5) == word.upper()


def test_a_word_may_stand_for_the_length(opened: Open) -> None:
    assert opened(shell(f"echo; echo {MARKER} nopython")).frame(5) == b"nopython"


@pytest.mark.parametrize("chatter", ["Welcome!", "Welcome!\\n", f"{MARKER}\\n", f"{MARKER} 3", ""])
def test_chatter_before_the_frame_is_passed_over(opened: Open, chatter: str) -> None:
    assert opened(python(f"put(b'{chatter}'); frame(b'hello')")).frame(5) == b"hello"


def test_a_frame_that_comes_byte_by_byte_is_understood(opened: Open) -> None:
    slow = "for byte in b'x\\nMARKER 5\\nhello': put(bytes([byte])); time.sleep(0.002)"
    assert opened(python(slow.replace("MARKER", MARKER))).frame(5) == b"hello"


def test_three_megabytes_of_noise_are_passed_over(opened: Open) -> None:
    assert opened(python(r"put(b'noise\n' * 500_000); frame(b'hello')")).frame(5) == b"hello"


def test_noise_on_standard_error_is_passed_over(opened: Open) -> None:
    assert opened(python(r"put(b'noise\n' * 500_000, 2); frame(b'hello')")).frame(5) == b"hello"


@pytest.mark.parametrize("stream", [1, 2])
def test_a_flood_is_given_up(opened: Open, stream: int) -> None:
    channel = opened(python(f"while True: put(b'x' * 65536, {stream})"))
    begun = time.monotonic()
    with pytest.raises(ChannelError, match="sent too much"):
        channel.frame(60)
    assert time.monotonic() - begun < 5


def test_a_flood_is_given_up_at_its_limit(opened: Open, tmp_path: Path) -> None:
    count = tmp_path / "count"
    flood = (
        f"n, to = 0, os.open({str(count)!r}, os.O_RDWR | os.O_CREAT)\n"
        "while True: put(b'x' * 65536); n += 65536; os.pwrite(to, b'%d' % n, 0)"
    )
    with pytest.raises(ChannelError, match="sent too much"):
        opened(python(flood)).frame(60)
    assert int(count.read_text()) <= NOISE_LIMIT + 2**20


@pytest.mark.parametrize("length", [str(FRAME_LIMIT + 1), "9" * 11, "9" * 5000])
def test_an_absurd_length_is_refused_at_once(opened: Open, length: str) -> None:
    with pytest.raises(ChannelError, match="sent too much"):
        opened(shell(f"echo; echo {MARKER} {length}; sleep 20")).frame(15)


def test_a_head_line_without_end_is_given_up(opened: Open) -> None:
    endless = f"put(b'\\n{MARKER} ' + b'9' * 200_000); time.sleep(20)"
    with pytest.raises(ChannelError, match="sent too much"):
        opened(python(endless)).frame(15)


def test_the_largest_frame_is_taken_whole(opened: Open) -> None:
    channel = opened(python(f"frame(b'x' * {FRAME_LIMIT})"))
    assert len(channel.frame(30)) == FRAME_LIMIT


def test_a_hang_ends_at_the_deadline(opened: Open) -> None:
    channel = opened("sleep 30")
    begun = time.monotonic()
    with pytest.raises(ChannelError, match="no answer in time"):
        channel.frame(0.3)
    assert 0.3 <= time.monotonic() - begun < 0.45


def test_a_trickle_of_noise_does_not_move_the_deadline(opened: Open) -> None:
    channel = opened(python("while True: put(b'.'); time.sleep(0.01)"))
    begun = time.monotonic()
    with pytest.raises(ChannelError, match="no answer in time"):
        channel.frame(0.3)
    assert time.monotonic() - begun < 0.5


def test_a_drop_midway_in_a_frame_is_no_answer(opened: Open) -> None:
    with pytest.raises(ChannelError, match="ended without an answer"):
        opened(shell(f"echo; echo {MARKER} 100; echo half")).frame(5)


def test_the_last_words_and_the_code_tell_why(opened: Open) -> None:
    channel = opened(shell("echo first >&2; echo Permission denied >&2; exit 255"))
    with pytest.raises(ChannelError) as trouble:
        channel.frame(5)
    assert trouble.value.stderr.endswith("Permission denied\n")
    assert trouble.value.code == 255


@pytest.mark.parametrize("before", ["", "head -c 100000 /dev/zero | tr '\\0' x; echo; "])
def test_the_last_words_of_who_says_nothing_on_standard_error_stand_outside_frames(
    opened: Open, before: str
) -> None:
    channel = opened(shell(f"{before}echo This account is currently not available.; exit 1"))
    with pytest.raises(ChannelError) as trouble:
        channel.frame(5)
    assert trouble.value.stderr.endswith("This account is currently not available.\n")
    assert len(trouble.value.stderr) < 20_000


def test_half_a_frame_is_nobodys_last_words(opened: Open) -> None:
    with pytest.raises(ChannelError) as trouble:
        opened(shell(f"echo banner; echo; echo {MARKER} 100; echo half")).frame(5)
    assert "half" not in trouble.value.stderr


def test_last_words_that_are_no_text_are_kept_readable(opened: Open) -> None:
    with pytest.raises(ChannelError) as trouble:
        opened(python(r"put(b'\xff\xfe', 2)")).frame(5)
    assert trouble.value.stderr == "��"


def test_only_the_end_of_much_standard_error_is_kept(opened: Open) -> None:
    with pytest.raises(ChannelError) as trouble:
        opened(python(r"put(b'noise\n' * 100_000 + b'the end\n', 2)")).frame(5)
    assert trouble.value.stderr.endswith("the end\n")
    assert len(trouble.value.stderr) < 20_000


def test_a_program_that_never_reads_does_not_hold_us(opened: Open) -> None:
    channel = opened(python("frame(b'hello'); time.sleep(30)"))
    begun = time.monotonic()
    channel.send(b"x" * 300_000)
    assert channel.frame(5) == b"hello"
    assert time.monotonic() - begun < 5


def test_a_program_that_reads_late_gets_everything(opened: Open) -> None:
    channel = opened(
        python("time.sleep(0.2); frame(b'%d' % len(sys.stdin.buffer.read(3_000_000)))")
    )
    channel.send(b"x" * 2_000_000)
    channel.send(b"x" * 1_000_000)
    assert channel.frame(5) == b"3000000"


def test_a_program_that_ends_without_reading_is_no_broken_pipe(opened: Open) -> None:
    channel = opened(shell("exit 3"))
    time.sleep(0.1)
    channel.send(b"x" * 300_000)
    channel.send(b"more")
    with pytest.raises(ChannelError, match="ended without an answer") as trouble:
        channel.frame(5)
    assert trouble.value.code == 3


def test_a_program_that_closes_standard_error_can_still_answer(opened: Open) -> None:
    assert opened(python("os.close(2); time.sleep(0.1); frame(b'hello')")).frame(5) == b"hello"


def test_a_child_that_keeps_standard_error_open_does_not_hold_us(opened: Open) -> None:
    begun = time.monotonic()
    with pytest.raises(ChannelError, match="ended without an answer"):
        opened(shell("sleep 20 >/dev/null & exit 1")).frame(10)
    assert time.monotonic() - begun < 2


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def gone(*pids: int) -> bool:
    until = time.monotonic() + 2
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(alive, pids))


def test_closing_ends_a_program_that_reads() -> None:
    channel = Channel(python("frame(b'%d' % os.getpid()); sys.stdin.read()"), MARKER)
    pid = int(channel.frame(5))
    begun = time.monotonic()
    channel.close()
    assert gone(pid)
    assert time.monotonic() - begun < 0.5


def test_closing_ends_a_program_that_does_not_read() -> None:
    channel = Channel(python("frame(b'%d' % os.getpid()); time.sleep(60)"), MARKER)
    pid = int(channel.frame(5))
    channel.close()
    assert gone(pid)


def test_closing_ends_the_children_of_a_program_that_does_not_read() -> None:
    channel = Channel(shell(f"sleep 61 & echo; echo {MARKER} pid$!; sleep 62; true"), MARKER)
    pid = int(channel.frame(5).removeprefix(b"pid"))
    channel.close()
    assert gone(pid)


def test_at_the_end_what_is_being_closed_is_let_and_what_hangs_is_killed(tmp_path: Path) -> None:
    cleared = tmp_path / "cleared"
    ends = f"frame(b''); sys.stdin.read(); time.sleep(0.2); open({str(cleared)!r}, 'w')"
    closing = Channel(python(ends), MARKER)
    hanging = Channel(python("frame(b'%d' % os.getpid()); time.sleep(60)"), MARKER)
    closing.frame(5)
    pid = int(hanging.frame(5))
    closer = threading.Thread(target=closing.close)
    closer.start()
    while not closing.closing:
        time.sleep(0.001)
    end_all()
    assert cleared.exists()
    assert gone(pid)
    closer.join()
    hanging.close()


def test_closing_twice_is_fine() -> None:
    channel = Channel("cat", MARKER)
    channel.close()
    channel.close()


def test_closing_leaves_no_open_pipe() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    channel = Channel("cat", MARKER)
    channel.send(b"x")
    channel.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
