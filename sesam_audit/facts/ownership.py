"""Who owns what below /srv/data and /sesam; what others own by rule is passed over."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Steps, Walk, WalkAnswer, denied
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.account import SesamUser
from sesam_audit.facts.daemon_settings import ContainerdSettings, DaemonSettings
from sesam_audit.facts.engine import Engine
from sesam_audit.facts.inspection import Inspection, listed
from sesam_audit.facts.stack_files import FILES, OVERRIDES
from sesam_audit.profile import Profile
from sesam_audit.wanted import ENV_FILE, FLUENTBIT, LETSENCRYPT, POINT, TREES

SHOW = "sudo find -H /srv/data /sesam -xdev '(' ! -user sesam -o ! -group sesam ')' -ls"

PASSED_NAMES = ("lost+found", ".snapshot", ".snapshots", ".zfs", "acme.json")
_PLACED = (*(f"{POINT}/{name}" for name in (*FILES, *OVERRIDES)), ENV_FILE)
_ROOTS_OWN = (
    LETSENCRYPT,  # written by Traefik, as root
    FLUENTBIT,  # made by Docker, as root, because the guide makes it nowhere
)
_USUAL = ("/srv/data/docker", "/srv/data/containerd")  # where the daemon does not tell


class Ownership(Struct, frozen=True):
    """What the bounded walk came to."""

    walk: WalkAnswer
    owner: str = "sesam:sesam"
    unread: Unknown | None = None  # why more may be others' by rule than was passed over

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Ownership]:
        """Learn the numbers of sesam and what to pass over, then walk."""
        sesam, skip = yield from gather(SesamUser.ask(profile), PassedOver.ask(profile))
        if not sesam.exists:
            raise Unknown("there is no user sesam (layout.user)")
        walk = yield from walk_of(sesam.uid, sesam.group_id, skip.paths)
        if walk.error:
            raise denied(walk, " and ".join(TREES), SHOW)
        return cls(walk, unread=skip.unread)

    def inspect(self) -> Inspection:
        """An offender seen is proof; nothing seen is proof only of a whole walk."""
        found, walk = Inspection(), self.walk
        if walk.passed_over:
            found.note(f"not judged, by rule: {listed(sorted(walk.passed_over), 10)}")
        if walk.offenders:
            more = "" if walk.complete else " (so far)"
            said = (
                f"{walk.offenders} of {walk.entries} entries{more} do not belong to {self.owner}:"
                f" {listed(walk.samples)}"
            )
            if self.unread is None:
                found.problem(said)
            else:
                why = f"Docker's own may be among them: {self.unread.reason}"
                found.doubt(self.unread.reworded(f"{said}; {why}"))
        if walk.unreadable:
            places = listed(walk.unreadable, 3)
            found.doubt(needs_root(f"not readable: {places}", SHOW))
        if not walk.complete:
            found.doubt(Unknown(f"only the first {walk.entries} entries were looked at", SHOW))
        return found


class PassedOver(Struct, frozen=True):
    """The paths that others own by rule: Docker's own, Traefik's, and the stack's files."""

    paths: tuple[str, ...]
    unread: Unknown | None = None  # why Docker's own may lie elsewhere as well

    @classmethod
    def ask(cls, profile: Profile) -> Steps[PassedOver]:
        """Learn from the daemon, and from both daemons' files, where Docker's own lies."""
        engine, daemon, containerd = yield from gather(
            attempt(Engine.ask(profile)),
            attempt(DaemonSettings.ask(profile)),
            attempt(ContainerdSettings.ask(profile)),
        )
        told = not isinstance(engine, Unknown) and bool(engine.root)
        unread = daemon if isinstance(daemon, Unknown) and not told else containerd
        return cls(
            (*_ROOTS_OWN, *_PLACED, *_docker_roots(engine, daemon, containerd)),
            unread if isinstance(unread, Unknown) else None,
        )


def walk_of(uid: int, gid: int, skip: tuple[str, ...]) -> Walk:
    """The walk over everything that has to be sesam's."""
    return Walk(TREES, uid, gid, skip=skip, skip_names=PASSED_NAMES)


def _docker_roots(
    engine: Engine | Unknown,
    daemon: DaemonSettings | Unknown,
    containerd: ContainerdSettings | Unknown,
) -> tuple[str, ...]:
    """Docker's and containerd's own directories, where they were moved to the data disk."""
    configured = "" if isinstance(daemon, Unknown) else daemon.text("data-root")
    found = [configured, "" if isinstance(containerd, Unknown) else containerd.root]
    if not isinstance(engine, Unknown):
        found.append(engine.root)
    elif not configured:
        found.extend(_USUAL)
    return tuple(path.rstrip("/") for path in found if path.startswith(TREES))
