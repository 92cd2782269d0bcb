"""Memory: what Linux manages, what is installed, and who leaves less to the containers."""

from __future__ import annotations

import pytest

from sesam_audit.asks import Self, SelfAnswer
from sesam_audit.errors import Unknown
from sesam_audit.facts.cgroups import Limit
from sesam_audit.facts.memory import BLOCKS, MEMINFO, MODULES, Memory
from sesam_audit.quantity import Size

from .machine import files, find, matches

GIB = 2**30
STATES = f"{BLOCKS}/memory[0-9]*/state"


def memory(
    kib: int, *, online: int = 0, offline: int = 0, texts: dict[str, str] | None = None
) -> Memory:
    words = ["online\n"] * online + ["offline\n"] * offline
    states = {f"{BLOCKS}/memory{number}/state": word for number, word in enumerate(words)}
    told = {
        MEMINFO: f"MemTotal:       {kib} kB\nMemFree:        1 kB\n",
        f"{BLOCKS}/block_size_bytes": "8000000\n",
        **(texts or {}),
    }
    return find(Memory, {**files(told), **matches({STATES: states}), Self(): SelfAnswer(uid=0)})


def test_what_linux_manages() -> None:
    assert memory(16 * 2**20).total == 16 * GIB


def test_the_reserve_of_a_confidential_machine_counts() -> None:
    """16 GiB installed, 6 % of it set aside at boot."""
    found = memory(15_380_000, online=128)

    assert found.installed == found.effective == 16 * GIB


def test_blocks_of_the_machine_below_a_container_host_do_not_count() -> None:
    assert memory(8 * 2**20, online=128).effective == 8 * GIB


def test_offline_blocks_are_told() -> None:
    found = memory(15 * 2**20, online=120, offline=8)

    assert (found.installed, found.offline) == (15 * GIB, GIB)


@pytest.mark.parametrize(
    ("path", "text", "effective"),
    [
        ("/sys/fs/cgroup/system.slice/memory.max", "8589934592\n", 8 * GIB),
        ("/sys/fs/cgroup/system.slice/memory.max", "max\n", 16 * GIB),
        ("/sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "4294967296\n", 4 * GIB),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n", 16 * GIB),
    ],
)
def test_control_groups_leave_less(path: str, text: str, effective: int) -> None:
    assert memory(16 * 2**20, texts={path: text}).effective == effective


def test_a_limit_above_what_linux_manages_is_none() -> None:
    total = Size(15 * GIB)

    assert Memory(total, limits=(Limit("the Docker daemon", total),)).limit is None


def test_a_balloon_driver_is_named() -> None:
    modules = "nf_nat 61440 2 - Live 0x0\nvirtio_balloon 24576 0 - Live 0x0\n"

    assert memory(1, texts={MODULES: modules}).balloon == "virtio_balloon"


@pytest.mark.parametrize("text", ["", "MemTotal: lots\n"])
def test_no_total_is_unknown(text: str) -> None:
    with pytest.raises(Unknown, match="MemTotal"):
        find(Memory, {**files({MEMINFO: text}), Self(): SelfAnswer(uid=0)})
