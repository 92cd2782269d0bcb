"""What the target reaches: every destination of the deployment, dialled from its own network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from sesam_audit.asks import Dial, DialAnswer, Roots, Steps
from sesam_audit.destinations import (
    LOG_SUBJECT,
    Consumer,
    Destination,
    by_log_address,
    destinations,
    host_port,
    log_shipping,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.deployment import Deployment, amiss
from sesam_audit.facts.dialled import classify
from sesam_audit.facts.hosts_file import HostsFile
from sesam_audit.facts.markers import authentic
from sesam_audit.facts.name_servers import NameServers
from sesam_audit.facts.scene import SHORT, Dialled, Scene, by_hand
from sesam_audit.facts.trust import Bundle, judge_chain, public_roots
from sesam_audit.profile import Profile
from sesam_audit.profile_values import labelled

_CONTEXTS = {Consumer.DOCKERD: "daemon", Consumer.HOST: "shell"}
OWN_WAYS = ("daemon", "shell")  # contexts whose proxy the target works out


class Reached(Struct, frozen=True):
    """One destination and what dialling it brought."""

    destination: Destination
    answer: DialAnswer | Unknown


class Reach(Struct, frozen=True):
    """Every destination by its subject; in `ips` mode or not, indicators included."""

    reached: dict[str, Reached]
    roots: Bundle = field(default_factory=Bundle)
    proxy: str = ""  # the profile's
    log_host: str | Unknown = ""  # FLUENTBIT_HOST of .env; "" when it names none
    proxied: dict[str, Reached] = field(default_factory=dict)  # by the profile's proxy, not theirs
    pinned: dict[str, tuple[str, ...]] = field(default_factory=dict)  # in the host's /etc/hosts
    resolving: float = SHORT  # as Scene has it

    def scene(self, subject: str, now: datetime) -> Scene:
        """One destination with all its connection is judged by.

        Raises:
            Unknown: it was not dialled.
        """
        reached = self.reached.get(subject)
        if reached is None:
            raise Unknown(f"{subject} was not dialled")
        if isinstance(reached.answer, Unknown):
            told = reached.answer
            raise Unknown(told.reason, told.command or by_hand(reached.destination), told.lacks)
        answer = reached.answer
        if answer.error == "TIMEOUT" and 0 < answer.seconds < SHORT:
            raise Unknown(
                f"only {answer.seconds:.1f} s were left of the deadline for {subject}",
                by_hand(reached.destination),
            )
        return self._scene(reached, answer, now)

    def _scene(self, reached: Reached, answer: DialAnswer, now: datetime) -> Scene:
        whose = reached.destination
        inspectors = self.inspectors(now) if whose.tolerant else frozenset()
        proxy = self.way(reached)
        return Scene(
            answer, whose, now, self.roots, proxy, inspectors, self._shared(), self.resolving
        )

    def way(self, reached: Reached) -> str:
        """The proxy on the way to a destination, "" where there is none."""
        answer = reached.answer
        if isinstance(answer, DialAnswer) and (answer.proxy_from or answer.context in OWN_WAYS):
            return answer.proxy
        return "" if reached.destination.direct else self.proxy

    def inspectors(self, now: datetime) -> frozenset[str]:
        """The private authorities that sign for names which are others' for sure."""
        strict = (x for x in self.reached.values() if not x.destination.tolerant)
        seen = (
            Scene(x.answer, x.destination, now, self.roots).inspector
            for x in strict
            if isinstance(x.answer, DialAnswer) and x.answer.chain
        )
        return frozenset(filter(None, seen))

    def dialled(self, subject: str, now: datetime) -> Dialled:
        """The verdict on one destination. Raises Unknown when there can be none."""
        return classify(self.scene(subject, now))

    def first(self, rule: str) -> str:
        """The first subject of a rule."""
        keys = (key for key, each in self.reached.items() if each.destination.rule == rule)
        return next(keys, "")

    def through_proxy(self, subject: str, now: datetime) -> Dialled | Unknown | None:
        """Why the proxy did not open the way to a destination; None when it did."""
        whole = self
        if subject in self.proxied:
            whole = replace(self, reached={**self.reached, **self.proxied})
        try:
            verdict = whole.dialled(subject, now)
        except Unknown as unknown:
            return unknown
        ours = verdict.proxy_fault or verdict.word.startswith("proxy-")
        return verdict if ours else None

    def left_to_proxy(self, subject: str, now: datetime) -> bool:
        """Whether the profile's proxy itself is at fault, which outbound.proxy judges."""
        theirs = subject in self.proxied or self.way(self.reached[subject]) == self.proxy
        way = self.through_proxy(subject, now) if self.proxy and theirs else None
        return isinstance(way, Dialled) and way.proxy_fault

    def offsets(self) -> dict[str, float]:
        """Seconds the target's clock is ahead of each authentic service's, by name.

        The service's Date is believed when its chain leads to public roots at that very date and
        the answer is the service's own: the judged clock has no say in it.
        """
        return dict(self._offsets())

    def _offsets(self) -> Iterator[tuple[str, float]]:
        for reached in self.reached.values():
            answer, destination = reached.answer, reached.destination
            if isinstance(answer, Unknown) or not (answer.time and destination.tls):
                continue
            headers = answer.headers or {}
            date = _date(headers.get("date", ""))
            if date is None or headers.get("age", "0") != "0":  # a cache repeats an old Date
                continue
            trust = judge_chain(answer.chain, destination.name, date, self.roots)
            if trust.trusted and authentic(answer, destination, vouched=True):
                yield destination.name, answer.time - date.timestamp()

    def _shared(self) -> frozenset[str]:
        """Addresses that stand-ins of different rules lead to."""
        rules = defaultdict(set)
        for reached in self.reached.values():
            if isinstance(reached.answer, DialAnswer) and reached.destination.rule:
                for address in reached.answer.addresses:
                    rules[address].add(reached.destination.rule)
        return frozenset(address for address, names in rules.items() if len(names) > 1)

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Reach]:
        """Dial everything at once; then a log host that only .env knew, and what needs roots."""
        chosen = destinations(profile)
        proxy = proxy_of(profile)
        roots = public_roots(profile.public_roots)
        theirs = [each for each in chosen if proxy and each.consumer in _CONTEXTS]
        deployment, answers, by_proxy, pinned, servers = yield from gather(
            attempt(Deployment.ask(profile)),
            every(attempt(dial(each, proxy)) for each in chosen),
            every(attempt(_proxied(each, proxy)) for each in theirs),
            attempt(HostsFile.ask(profile)),
            NameServers.ask(profile),
        )
        proxied = {
            each.key: Reached(each, answer) for each, answer in zip(theirs, by_proxy, strict=True)
        }
        reached = {
            each.key: Reached(each, answer) for each, answer in zip(chosen, answers, strict=True)
        }
        log_host = log_host_of(deployment)
        reached = yield from dialled_again(reached, log_host, profile, partial(dial, proxy=proxy))
        pins = {} if isinstance(pinned, Unknown) else pinned.names
        return cls(reached, roots, proxy, log_host, proxied, pins, servers.by_host)


def proxy_of(profile: Profile) -> str:
    """The profile's proxy as dials want it."""
    return host_port(*profile.proxy_address) if profile.proxy_address else ""


def dial(
    destination: Destination,
    proxy: str,
    vantage: str = "host",
    seconds: float = 0.0,
    *,
    public: bool = False,
) -> Dial:
    """The connection that tries a destination; `seconds` 0 is the run's deadline.

    On the host it takes the way of who will connect: the daemon's own proxy or a shell's, whatever
    the profile says.
    """
    context = _CONTEXTS.get(destination.consumer, "") if vantage == "host" else ""
    return Dial(
        destination.server_name or destination.name,
        destination.port,
        address=destination.name if destination.server_name else "",
        path=destination.path,
        tls=destination.tls,
        accept=destination.accept,
        proxy="" if context or destination.direct else proxy,
        vantage=vantage,
        context=context,
        public=public,
        seconds_limit=seconds,
    )


def _proxied(destination: Destination, proxy: str) -> Dial:
    """Through the profile's proxy, whoever will connect."""
    return replace(dial(destination, proxy), proxy=proxy, context="", path="")


def log_host_of(deployment: Deployment | Unknown) -> str | Unknown:
    """FLUENTBIT_HOST of .env, "" when it names none."""
    try:
        return deployment if isinstance(deployment, Unknown) else deployment.value("FLUENTBIT_HOST")
    except Unknown as unknown:
        return unknown


def dialled_again(
    reached: dict[str, Reached],
    log_host: str | Unknown,
    profile: Profile,
    dial: Callable[..., Dial],
) -> Steps[dict[str, Reached]]:
    """The same after a second round: a log host that only .env knew, and what needs roots.

    `dial` makes the question; the profile's roots go along where a chain was hidden.
    """
    hidden = {key: each.destination for key, each in reached.items() if hides(each.answer)}
    later = {**hidden, **dict(moved(reached, log_host))}
    found = dict(reached)
    if later:
        dials = (attempt(dial(each, public=bool(hidden))) for each in later.values())
        _, answers = yield from gather(
            attempt(Roots(public_roots(profile.public_roots).pem)) if hidden else every(()),
            every(dials),
        )
        found |= {
            key: Reached(each, _merged(reached[key], each, answer))
            for (key, each), answer in zip(later.items(), answers, strict=True)
        }
    if isinstance(log_host, str) and log_host and not labelled(log_host):
        wrong = amiss("FLUENTBIT_HOST", log_host, "no host name")
        found[LOG_SUBJECT] = Reached(log_shipping(profile.fluentbit_host), wrong)
    return found


def hides(answer: DialAnswer | Unknown) -> bool:
    """Whether it comes from a Python before 3.10, which shows a chain's leaf alone."""
    return isinstance(answer, DialAnswer) and bool(answer.chain) and not answer.whole_chain


def moved(
    reached: dict[str, Reached], log_host: str | Unknown
) -> Iterator[tuple[str, Destination]]:
    """The log host of .env, where it is not the one dialled already."""
    if not (isinstance(log_host, str) and labelled(log_host)):
        return
    for named in (log_shipping(log_host), by_log_address(log_host)):
        if named.key in reached and named != reached[named.key].destination:
            yield named.key, named


def _merged(
    first: Reached, destination: Destination, answer: DialAnswer | Unknown
) -> DialAnswer | Unknown:
    """The first answer of the same destination, with what the second says of public roots."""
    if first.destination != destination or isinstance(first.answer, Unknown):
        return answer
    return replace(first.answer, public=answer.public if isinstance(answer, DialAnswer) else None)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)
