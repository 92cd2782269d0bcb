"""Whether what an entry of fstab, or a unit, names is what is mounted now."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from shlex import quote

from sesam_audit.asks import Names, Run, RunAnswer, Self, Stat, StatAnswer, Steps, denied
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.fstab import BootEntry
from sesam_audit.facts.mounts import Mount, Mounts
from sesam_audit.wanted import POINT

Links = Mapping[str, frozenset[str]]
"""The names that udev gave, by the directory they are in; none where there is no udev."""

_KINDS = ("uuid", "label", "partuuid", "partlabel")
_BY = tuple(f"/dev/disk/by-{kind}" for kind in _KINDS)
_SPANNING = frozenset({"btrfs", "bcachefs"})  # which of their devices is shown is chance
_BLKID = ("blkid", "-c", "/dev/null", "-o", "export")  # no cache: it would be written
_MOUNTED_AS = {  # type in fstab -> what the kernel, or blkid before it, makes of it
    "ext4": {"ext3", "ext2"},
    "ext3": {"ext2"},
    "nfs": {"nfs4"},
    "cifs": {"smb3"},
    "smb3": {"cifs"},
    "ntfs": {"fuseblk", "ntfs3"},
    "ntfs-3g": {"fuseblk"},
}


def links() -> Steps[Links]:
    """The names under which udev shows the disks."""
    answers = yield from every(map(Names, _BY))
    return {path: frozenset(each.names) for path, each in zip(_BY, answers, strict=True)}


def mistaken(
    entry: BootEntry, mount: Mount | None, names: Links, point: StatAnswer
) -> Steps[str | Unknown]:
    """What is wrong with what it names, in words; "" when that is what is mounted.

    With nothing mounted it has to be there at least. Unknown where the host does not tell.
    """
    if mount and mount.fstype == "autofs":
        mount = None  # an automount, at which nobody has looked yet
    if entry.bound:
        return (yield from _bound(entry, mount, point))
    if mount and entry.source.rstrip("/") == mount.source.rstrip("/"):
        found: str | Unknown = ""
    elif entry.link:
        found = yield from _device(entry, mount, names)
    else:
        found = _served(entry, mount)
    return found if isinstance(found, str) and found else (_other_type(entry, mount) or found)


def uncarried(entry: BootEntry, mounts: Mounts, targets: Collection[str]) -> Unknown | None:
    """Why what holds a directory that is shown twice may not be there at boot."""
    holder = mounts.holding(entry.source) if entry.bound else None
    if holder is None or holder.target == "/" or holder.target in targets:
        return None
    why = f"{entry.source} lies on {holder.target}, for which fstab has no line"
    return Unknown(
        f"{why}: what mounts that at boot is not told", f"findmnt {quote(holder.target)}"
    )


def _another(entry: BootEntry, mount: Mount) -> str:
    return f"{entry.origin} names {entry.source}, but {mount.source} is mounted now"


def _other_type(entry: BootEntry, mount: Mount | None) -> str:
    kind = mount.fstype.removeprefix("fuse.") if mount else ""
    named = [each.removeprefix("fuse.") for each in entry.fstype.split(",")]
    alike = {"auto", "none", "", *named}.union(*(_MOUNTED_AS.get(each, ()) for each in named))
    if mount is None or kind in alike or {"auto", "none", ""}.intersection(named):
        return ""
    return (
        f"{entry.origin} says {entry.fstype} for {POINT}, but what {mount.source} holds is {kind}"
    )


def _served(entry: BootEntry, mount: Mount | None) -> str | Unknown:
    """A server's export, or a dataset, under another name than the one mounted."""
    if mount is None:
        return ""
    if mount.source.startswith("/dev/"):
        return _another(entry, mount)
    why = f"{mount.source} is mounted now, and {entry.origin} names {entry.source}"
    return Unknown(f"{why}: whether they are the same is not told", f"findmnt {POINT}")


def _bound(entry: BootEntry, mount: Mount | None, point: StatAnswer) -> Steps[str | Unknown]:
    source = yield from Stat(entry.source)
    if source.missing or (source.resolved and source.resolved.error):
        return f"{entry.origin} binds {entry.source}, which is not there"
    if source.error:
        return denied(source, entry.source)
    return _another(entry, mount) if mount and _inode(source) != _inode(point) else ""


def _device(entry: BootEntry, mount: Mount | None, names: Links) -> Steps[str | Unknown]:
    if mount and not mount.source.startswith("/dev/"):
        return _another(entry, mount)
    named, now, called = yield from gather(
        Stat(entry.link),
        Stat(mount.source if mount else entry.link),
        _called(entry, mount, names),
    )
    if named.missing or (named.resolved and named.resolved.error):
        if called is not None:
            return called
        if now.missing and mount:
            command = f"lsblk {quote(mount.source)}"
            return Unknown(f"neither {entry.source} nor {mount.source} is shown here", command)
        return f"{entry.origin} names {entry.source}, but there is no such device"
    if named.error:
        return denied(named, entry.link)
    inodes = _inode(named), _inode(now)
    differ = mount and mount.fstype not in _SPANNING and all(inodes) and inodes[0] != inodes[1]
    return _another(entry, mount) if mount and differ else ""


def _called(entry: BootEntry, mount: Mount | None, names: Links) -> Steps[str | Unknown | None]:
    """Of a name that udev does not show: without udev the disk is asked what it is called."""
    folder, _, name = entry.link.rpartition("/")
    if entry.tag not in _KINDS or name in names.get(folder, ()):
        return None
    tag, value = entry.tag.upper(), entry.value
    asked = mount.source if mount else f"{tag}={value}"
    words = (asked,) if mount else ("-t", asked)
    me, answer = yield from gather(Self(), attempt(Run((*_BLKID, *words))))
    signs = () if isinstance(answer, Unknown) else tuple(_signs(answer))
    if (tag, value) in signs:
        return ""
    if names.get(folder):
        return f"{entry.origin} names {entry.source}, but no disk has that name"
    spread = mount and mount.fstype in _SPANNING and tag.startswith("PART")
    told = signs if mount else me.uid == 0 and isinstance(answer, RunAnswer) and answer.code == 2
    if told and not spread:
        whose = f"{mount.source}, mounted now, has another" if mount else "no disk has that"
        return f"{entry.origin} names {entry.source}, but {whose} name"
    why = f"whether a disk is called {entry.source} is not told"
    command = f"sudo blkid {quote(asked)}" if mount else "sudo blkid"
    return Unknown(why, command) if me.uid == 0 else needs_root(why, command)


def _signs(answer: RunAnswer) -> list[tuple[str, str]]:
    plain = re.sub(r"\\(.)", r"\1", answer.out)
    return [(tag, value) for tag, _, value in (x.partition("=") for x in plain.splitlines())]


def _inode(answer: StatAnswer) -> tuple[int, int] | None:
    end = answer.resolved
    if answer.error or (end and (end.error or not end.inode)):
        return None
    return (end.device, end.inode) if end else (answer.device, answer.inode)
