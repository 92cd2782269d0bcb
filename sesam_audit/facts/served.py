"""What the stack serves on 80 and 443, asked on the host itself for NODE_DOMAIN."""

from __future__ import annotations

from datetime import datetime
from shlex import quote

from msgspec import Struct, field
from msgspec.structs import replace

from sesam_audit.asks import Dial, DialAnswer, Roots, RootsAnswer, Steps
from sesam_audit.destinations import Consumer, Destination, Service
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.certificates import CertificateFiles
from sesam_audit.facts.containers import Containers
from sesam_audit.facts.domain import node_domain
from sesam_audit.facts.leaf import Leaf, leaf
from sesam_audit.facts.markers import location
from sesam_audit.facts.scene import Scene
from sesam_audit.facts.trust import Bundle, Trust, public_roots
from sesam_audit.profile import Profile

HEALTH = "/api/health"
_HERE = "127.0.0.1"
_ANY = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, never bound
_SECONDS = 6.0
_LOCAL = f"asked on the host itself, at {_HERE}: whether others reach it is for inbound.*"


class Served(Struct, frozen=True):
    """The answers of ports 443 and 80 for one name; `place` is the address that was dialled."""

    name: str
    secure: DialAnswer | Unknown
    plain: DialAnswer | Unknown
    roots: Bundle = field(default_factory=Bundle)
    place: str = _HERE
    files: CertificateFiles | Unknown | None = None  # of one's own: what is to be served

    @property
    def where(self) -> str:
        """From where it was asked, as a sentence beside the verdict."""
        return _LOCAL.replace(_HERE, self.place)

    def tls(self) -> DialAnswer:
        """What 443 answered. Raises Unknown when it was not asked, or not in time."""
        return _tried(self.secure, 443, self.name)

    def http(self) -> DialAnswer:
        """What 80 answered. Raises Unknown when it was not asked, or not in time."""
        return _tried(self.plain, 80, self.name)

    @property
    def leaf(self) -> Leaf | None:
        """The certificate that 443 shows for the name."""
        answer = self.secure
        return leaf(answer.chain[0]) if isinstance(answer, DialAnswer) and answer.chain else None

    def trust(self, now: datetime) -> Trust:
        """How the served chain fares against public roots."""
        destination = Destination(
            name=self.name, rule="", service=Service.IDENTITY, consumer=Consumer.HOST
        )
        return Scene(self.tls(), destination, now, self.roots).public_trust()

    @property
    def redirects(self) -> bool:
        """Whether 80 leads on to https of the same name."""
        answer = self.http()
        target = location(answer)
        return (
            answer.status in (301, 302, 303, 307, 308)
            and target.scheme == "https"
            and (target.hostname or "") == self.name
            and target.port in (None, 443)
        )

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Served]:
        """Dial both ports; once more with roots where Python hides the chain.

        Raises:
            Unknown: NODE_DOMAIN is not known.
        """
        answers, files = yield from gather(_answers(profile), attempt(_files(profile)))
        return replace(answers, files=files)


def _answers(profile: Profile) -> Steps[Served]:
    name, containers = yield from gather(node_domain(profile), attempt(Containers.ask(profile)))
    secure, plain = (_place(containers, port) for port in (443, 80))
    dial = Dial(name, 443, path=HEALTH, address=secure, seconds_limit=_SECONDS)
    told, other = yield from gather(
        attempt(dial),
        attempt(Dial(name, 80, tls=False, address=plain, seconds_limit=_SECONDS)),
    )
    roots = public_roots(profile.public_roots)
    if isinstance(told, DialAnswer) and told.chain and not told.whole_chain:
        told = replace(told, public=(yield from _vouched(dial, roots)))
    return Served(name, told, other, roots, secure)


def _files(profile: Profile) -> Steps[CertificateFiles | None]:
    if profile.certificates == "letsencrypt":
        yield from every(())
        return None
    return (yield from CertificateFiles.ask(profile))


def _place(containers: Containers | Unknown, port: int) -> str:
    """The address on which Docker publishes a port; any address will do as the local one."""
    known = () if isinstance(containers, Unknown) else containers.containers
    bound = [at for each in known for number, at in each.addresses if number == port]
    return _HERE if not bound or any(at in _ANY for at in bound) else bound[0]


def _vouched(dial: Dial, roots: Bundle) -> Steps[bool | None]:
    _, answer = yield from gather(
        _sent(roots), attempt(Dial(dial.name, 443, path="", address=dial.address, public=True))
    )
    return answer.public if isinstance(answer, DialAnswer) else None


def _sent(roots: Bundle) -> Steps[RootsAnswer | Unknown]:
    return (yield from attempt(Roots(roots.pem)))


def _tried(answer: DialAnswer | Unknown, port: int, name: str) -> DialAnswer:
    there = quote(f"{'https' if port == 443 else 'http'}://{name}")
    by_hand = f"curl -vk --resolve {quote(f'{name}:{port}:{_HERE}')} {there}"
    if isinstance(answer, Unknown):
        raise Unknown(answer.reason, answer.command or by_hand, answer.lacks)
    if answer.error == "UNSUPPORTED":
        raise Unknown("the target has no Python 3.6 or later, which dialling needs", by_hand)
    if (answer.error or "").startswith("CRASH"):
        raise Unknown(f"port {port} could not be asked: {answer.error}", by_hand)
    if answer.error == "TIMEOUT" and not answer.status:
        raise Unknown(f"port {port} did not answer in time ({answer.layer})", by_hand)
    return answer
