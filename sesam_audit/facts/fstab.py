"""fstab lines and systemd mount units: what is to be mounted at boot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import normpath

from msgspec import Struct

from sesam_audit.facts.mounts import unescaped

NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "9p"})

_UNSTABLE = re.compile(r"/dev/(sd|hd|vd|xvd|nvme|mmcblk)\w*\d*$")
_TAGS = frozenset({"uuid", "label", "partuuid", "partlabel", "id"})


class BootEntry(Struct, frozen=True):
    """One thing to be mounted at boot, from a line of fstab or from a mount unit."""

    source: str
    target: str
    fstype: str = ""
    options: tuple[str, ...] = ()
    origin: str = "/etc/fstab"
    words: int = 6  # of the line; with fewer than three it names no type

    @property
    def complete(self) -> bool:
        """Whether the line has what `mount` demands of one."""
        return self.words >= 3

    @property
    def automatic(self) -> bool:
        """Whether it is mounted without being asked for by hand."""
        return "noauto" not in self.options or "x-systemd.automount" in self.options

    @property
    def late(self) -> tuple[str, ...]:
        """What lets the boot go on before it is mounted."""
        words = [x for x in ("nofail", "_netdev", "x-systemd.automount") if x in self.options]
        return (*words, *([self.fstype] if self.fstype in NETWORK else []))

    @property
    def stable(self) -> bool:
        """Whether the name stays with the disk when disks are added or change places."""
        return not _UNSTABLE.match(self.source)

    @property
    def bound(self) -> bool:
        """Whether it shows a directory a second time."""
        return not {"bind", "rbind"}.isdisjoint(self.options)

    @property
    def tag(self) -> str:
        """The kind of name that is given in place of a path: uuid, label, ...; else ""."""
        tag, equals, _ = self.source.partition("=")
        return tag.lower() if equals and tag.lower() in _TAGS else ""

    @property
    def value(self) -> str:
        """The name itself, without its kind."""
        return self.source.partition("=")[2].strip(chr(34) + chr(39))

    @property
    def link(self) -> str:
        """The path below /dev that the source stands for; "" for what is no device."""
        if self.tag:
            return f"/dev/disk/by-{self.tag}/{_encoded(self.value)}"
        return self.source if self.source.startswith("/dev/") else ""


def parse_fstab(text: str) -> Iterator[BootEntry]:
    """The lines of an fstab that name a place."""
    for line in text.splitlines():
        words = [unescaped(word) for word in line.split()]
        if len(words) >= 2 and not words[0].startswith("#"):
            kind, options = (*words[2:4], "", "")[:2]
            flags = tuple(options.split(","))
            yield BootEntry(words[0], normpath(words[1]), kind, flags, words=len(words))


def parse_unit(text: str, origin: str) -> BootEntry | None:
    """A mount unit's [Mount] section; None when it names no place."""
    values = dict(re.findall(r"^\s*(What|Where|Type|Options)\s*=\s*(.*?)\s*$", text, re.MULTILINE))
    if "Where" not in values:
        return None
    options = tuple(values.get("Options", "").split(","))
    what = values.get("What", "")
    return BootEntry(what, normpath(values["Where"]), values.get("Type", ""), options, origin)


def _encoded(name: str) -> str:
    """A label as udev calls its link (systemd, encode_devnode_name)."""
    return re.sub(
        r"[^\w#+.:=@-]",
        lambda match: match[0] if match[0] > "\x7f" else f"\\x{ord(match[0]):02x}",
        name,
    )


def unit_name(path: str) -> str:
    """What systemd calls the mount unit of a path, without its suffix (systemd-escape --path)."""
    name = re.sub(
        r"[^a-zA-Z0-9:_.]|^\.",
        lambda match: "-" if match[0] == "/" else _escaped(match[0]),
        path.strip("/"),
    )
    return name or "-"


def _escaped(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
