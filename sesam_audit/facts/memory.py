"""Memory: how much the machine has, and how much of it the containers may use."""

from __future__ import annotations

import re

from msgspec import Struct

from sesam_audit.asks import File, FileAnswer, Files, FilesAnswer, Steps
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.cgroups import ControlGroups, Limit
from sesam_audit.facts.engine import Engine
from sesam_audit.profile import Profile
from sesam_audit.quantity import Size

MEMINFO = "/proc/meminfo"
MODULES = "/proc/modules"
BLOCKS = "/sys/devices/system/memory"
BALLOONS = ("virtio_balloon", "hv_balloon", "vmw_balloon", "xen_balloon")
_RESERVE = 0.10
"""Firmware, crash kernel and a confidential VM's bounce buffers take less than this part."""


class Memory(Struct, frozen=True):
    """`total` is what Linux manages (MemTotal); `installed` adds what it set aside at boot."""

    total: Size
    installed: Size = Size(0)  # memory blocks that are online; 0 when the kernel shows none
    offline: Size = Size(0)
    limits: tuple[Limit, ...] = ()
    balloon: str = ""  # a driver through which the hypervisor may take memory back

    @property
    def machine(self) -> Size:
        """What the machine has. A container host (LXC) sees the blocks of the machine below it."""
        plausible = self.total >= self.installed * (1 - _RESERVE)
        return max(self.total, self.installed) if plausible else self.total

    @property
    def limit(self) -> Limit | None:
        """The tightest limit that leaves less than what Linux manages."""
        tight = [limit for limit in self.limits if limit.value < self.total]
        return min(tight, key=lambda limit: limit.value, default=None)

    @property
    def effective(self) -> Size:
        return Size(self.limit.value) if self.limit else self.machine

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Memory]:
        """Read the kernel's account; Docker's and the control groups' may be lower."""
        meminfo, (size, states, modules), groups, engine = yield from gather(
            File(MEMINFO),
            gather(
                File(f"{BLOCKS}/block_size_bytes"),
                Files(f"{BLOCKS}/memory[0-9]*/state"),
                File(MODULES),
            ),
            ControlGroups.ask(profile),
            attempt(Engine.ask(profile)),
        )
        match = re.search(r"^MemTotal:\s+([0-9]+) kB$", meminfo.read(MEMINFO) or "", re.MULTILINE)
        if match is None:
            raise Unknown(f"{MEMINFO} names no MemTotal", "free -b")
        limits = groups.memory
        if not isinstance(engine, Unknown) and engine.memory:
            limits += (Limit("the Docker daemon", engine.memory),)
        loaded = {line.partition(" ")[0] for line in modules.text.splitlines()}
        return cls(
            Size(int(match[1]) * 1024),
            *_blocks(size, states),
            limits=limits,
            balloon=next((name for name in BALLOONS if name in loaded), ""),
        )


def _blocks(size: FileAnswer, states: FilesAnswer) -> tuple[Size, Size]:
    block = size.text.strip()
    if not re.fullmatch("[0-9a-f]{1,12}", block):
        return Size(0), Size(0)
    words = [text.strip() for text in (states.files or {}).values()]
    return Size(words.count("online") * int(block, 16)), Size(
        words.count("offline") * int(block, 16)
    )
