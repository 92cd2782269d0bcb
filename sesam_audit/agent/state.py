"""/var/lib/sesam-audit on the target: the lock, and one directory for each run.

The lock is a flock on the directory itself: it cannot be unlinked, dies with its holders, and is
inherited by the programs that are started. Who holds it is written beside it for people only.
"""

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
import time
from typing import Any, Dict, List, Optional

from .journal import Journal, Record, canonical, read
from .paths import DIRECTORY, Paths
from .stop import Stop

WHERE = "/var/lib/sesam-audit"
SUMMED = ("license", "certificate-key")  # secrets that are files of their own
SPACE, INODES = 16 << 20, 1000  # free before anything begins
_NAME = re.compile(r"[0-9a-z][0-9a-z-]{3,39}$")


class Run:
    """One run's directory: plan, journal, events, result, and what actions keep."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = os.path.basename(path)

    def inside(self, name: str) -> str:
        """The path of one of its files."""
        return os.path.join(self.path, name)

    def keep(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all, and wait until it is on the disk."""
        write_whole(self.inside(name), content)

    def kept(self, name: str) -> Optional[bytes]:
        """A file's content; None when there is none."""
        return content_of(self.inside(name))

    def plan(self) -> Optional[Record]:
        """The approved plan; None when a crash left none."""
        content = self.kept("plan.json")
        return json.loads(content.decode()) if content else None

    def sums(self) -> Dict[str, str]:
        """Keyed hashes of the secrets that it was begun with, by name."""
        content = self.kept("sums.json")
        return json.loads(content.decode()) if content else {}

    def records(self) -> List[Record]:
        """What its journal says."""
        return read(self.inside("journal"))

    def number(self) -> int:
        """Its place among the runs of this machine; 0 when it never began."""
        first = self.records()[:1]
        return int(first[0]["number"]) if first else 0

    def journal(self) -> Journal:
        """Its journal, to be written."""
        return Journal(self.inside("journal"))


class State:
    """The state directory of one machine."""

    def __init__(self, root: str = "/") -> None:
        self.root = root
        self.path = os.path.join(root, WHERE.lstrip("/"))
        self.lock: Optional[int] = None

    def make(self) -> None:
        """Make the directory, root's own; refuse one that is somebody else's."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.path, 0o700)
            sync_directory(os.path.dirname(self.path))
        with Paths(self.root).place(WHERE) as place, place.opened(DIRECTORY) as descriptor:
            status = os.fstat(descriptor)
            if status.st_uid or status.st_mode & 0o077:
                raise Stop("%s is not root's own with mode 0700" % WHERE, "ls -ld %s" % WHERE)
        with contextlib.suppress(FileExistsError):
            os.mkdir(os.path.join(self.path, "runs"), 0o700)
        sync_directory(self.path)

    def take(self) -> None:
        """Take the lock, or say who has it."""
        descriptor = os.open(self.path, DIRECTORY)
        for left in range(10, -1, -1):  # whoever only asks whether it is held lets go at once
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not left:
                    os.close(descriptor)
                    raise Stop(*self._held()) from None
                time.sleep(0.1)
            else:
                self.lock = descriptor
                return

    def let_go(self) -> None:
        """Close this process's share of the lock."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def held(self) -> bool:
        """Say whether somebody is at work."""
        try:
            descriptor = os.open(self.path, DIRECTORY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> Dict[str, Any]:
        """Who said to hold the lock last: run, verb, plan, operator, pid, since."""
        content = content_of(os.path.join(self.path, "holder.json"))
        return json.loads(content.decode()) if content else {}

    def _held(self) -> List[str]:
        holder = self.holder()
        if not holder:
            return ["another apply is at work on this machine", "Wait until it has ended."]
        verb = str(holder.get("verb", "start"))
        who = "" if verb == "start" else "%s of " % verb
        who += "run %(run)s of %(operator)s (process %(pid)s, since %(since)s)" % holder
        if alive(holder):
            step = "Wait until it has ended; the same command as then follows it."
            return ["%s is at work on this machine" % who, step]
        words = "%s was killed, and a program that it started still runs" % who
        return [words, "Wait until it has ended: sudo lsof %s" % WHERE]

    def hold(self, run: str, operator: str, verb: str, plan: str) -> None:
        """Write down for people who holds the lock, and for which work."""
        facts = {"run": run, "operator": operator, "pid": os.getpid(), "boot": boot()}
        facts.update(verb=verb, plan=plan)
        facts.update(since=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))
        facts.update(start=started(os.getpid()))
        write_whole(os.path.join(self.path, "holder.json"), canonical(facts))

    def check_space(self) -> None:
        """Refuse to begin where the journal could not be ended."""
        found = os.statvfs(self.path)
        if found.f_bavail * found.f_frsize < SPACE:
            raise Stop("less than 16 MiB are free for %s" % WHERE, "df -h %s" % WHERE)
        if found.f_files and found.f_favail < INODES:
            raise Stop("less than 1000 inodes are free for %s" % WHERE, "df -i %s" % WHERE)

    def key(self) -> Optional[bytes]:
        """The key of this machine for hashes of secrets."""
        return content_of(os.path.join(self.path, "key"))

    def make_key(self) -> None:
        """Make the key, once."""
        if not self.key():
            write_whole(os.path.join(self.path, "key"), os.urandom(32))

    def keyed(self, content: bytes) -> Optional[str]:
        """A hash of a secret under this machine's own key; None before there is a key."""
        key = self.key()
        return hmac.new(key, content, hashlib.sha256).hexdigest() if key else None

    def strange(self, run: Run, secrets: Dict[str, str]) -> List[str]:
        """The names of secrets that are not those that a run was begun with."""
        known = run.sums()
        return [
            name
            for name in SUMMED
            if name in known and name in secrets and known[name] != self._sum(secrets[name])
        ]

    def _sum(self, secret: str) -> Optional[str]:
        return self.keyed(secret.encode("utf-8"))

    def appliance(self) -> str:
        """The APPLIANCE_ID that was made for this machine; "" when none was."""
        return (content_of(os.path.join(self.path, "appliance")) or b"").decode()

    def keep_appliance(self, identifier: str) -> None:
        """Remember it for good: a second one would be a second appliance at Sesam."""
        if self.appliance() != identifier:
            write_whole(os.path.join(self.path, "appliance"), identifier.encode())

    def run(self, name: str) -> Run:
        """One run by name."""
        if not _NAME.match(name):
            raise Stop("%r is no run's name" % name)
        return Run(os.path.join(self.path, "runs", name))

    def begin(self, name: str, plan: Record, secrets: Dict[str, str]) -> Run:
        """Make a run's directory with its plan, and what tells its secrets from others."""
        run = self.run(name)
        strange = self.strange(run, secrets)
        if strange:
            words = "the %s is not the one that run %s was begun with" % (strange[0], name)
            raise Stop(words, "Run the same command again, for a new plan.", "changed")
        with contextlib.suppress(FileExistsError):
            os.mkdir(run.path, 0o700)
        run.keep("plan.json", json.dumps(plan).encode("ascii"))  # in its own order: .env has one
        came = {each: self._sum(secrets[each]) for each in SUMMED if each in secrets}
        if came:
            run.keep("sums.json", canonical(dict(run.sums(), **came)))
        sync_directory(os.path.dirname(run.path))
        return run

    def runs(self) -> List[Run]:
        """All runs, the oldest first."""
        try:
            names = os.listdir(os.path.join(self.path, "runs"))
        except FileNotFoundError:
            return []
        found = [self.run(name) for name in names if _NAME.match(name)]
        return sorted(found, key=lambda run: (run.number(), run.name))


def write_whole(path: str, content: bytes) -> None:
    """Replace a file of ours atomically; only its name's holder, root, can reach it."""
    temporary = path + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)
    sync_directory(os.path.dirname(path))


def content_of(path: str) -> Optional[bytes]:
    """A file of ours; None when there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def sync_directory(path: str) -> None:
    """Bring a directory's names to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def boot() -> str:
    """What tells this boot from all others."""
    return (content_of("/proc/sys/kernel/random/boot_id") or b"").decode().strip()


def machine(root: str) -> str:
    """What tells this machine from all others."""
    return (content_of(os.path.join(root, "etc/machine-id")) or b"").decode().strip()


def started(pid: int) -> str:
    """When a process started, in the kernel's count; "" when there is none, or it has ended."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in ("Z", "X") else words[19]


def alive(holder: Dict[str, Any]) -> bool:
    """Say whether the very process that wrote itself down is there."""
    if not holder or holder["boot"] != boot():
        return False
    return bool(holder["start"]) and started(holder["pid"]) == holder["start"]
