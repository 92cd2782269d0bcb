"""The control sample: the auditor dials what the host dials, to tell a firewall from the world."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from sesam_audit.asks import AUDITOR, Contact, DialAnswer, Steps
from sesam_audit.destinations import Consumer, destinations
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.reach import Reach, Reached, dial, log_host_of, moved
from sesam_audit.facts.scene import Dialled, by_hand
from sesam_audit.facts.trust import public_roots, utc
from sesam_audit.profile import Profile

SECONDS = 3.0  # an auditor without a way out must not cost a healthy host the whole deadline
HERE = "the auditor is the host itself"


class Control(Struct, frozen=True):
    """What the auditor's own dials came to, without a proxy, judged by public roots alone."""

    reach: Reach = field(default_factory=lambda: Reach({}))
    absent: str = ""  # why there is no sample

    def word(self, subject: str, now: datetime) -> str:
        """One word for what the auditor met, or why it met nothing; for a table."""
        verdict = self._verdict(subject, now)
        if isinstance(verdict, Unknown):
            return f"not known: {self.absent or verdict.reason}"
        return f"ok{self._when(subject)}" if verdict.ok else verdict.word

    def beside(self, subject: str, verdict: Dialled, now: datetime) -> str:
        """How a verdict that is not ok goes on: what the auditor met at the same time.

        Raises:
            Unknown: the auditor, who reaches others, meets nobody there either.
        """
        sample = self._verdict(subject, now)
        if isinstance(sample, Unknown):
            return ""
        if sample.ok:
            return "; the auditor reached it"  # when: a note's to tell, which `compare` leaves out
        others = self._others(subject, now)
        if not others:
            return "; the auditor reaches none of these destinations and cannot compare"
        if verdict.worldly and (sample.worldly or sample.word == "service-trouble"):
            raise Unknown(
                f"{verdict}; the auditor, who reaches {others} others, did not reach it either"
                f" ({sample.word}): the name may be gone, the service down, or one firewall stand"
                " before both",
                by_hand(self.reach.reached[subject].destination),
            )
        return f"; the auditor met {sample.word} there"

    def excused(
        self, subject: str, way: Dialled | Unknown | None, now: datetime
    ) -> Dialled | Unknown | None:
        """What a proxy refused, unless the auditor does not reach it either."""
        if isinstance(way, Dialled):
            try:
                self.beside(subject, way, now)
            except Unknown as unknown:
                return unknown
        return way

    def _verdict(self, subject: str, now: datetime) -> Dialled | Unknown:
        try:
            return self.reach.dialled(subject, now)
        except Unknown as unknown:
            return unknown

    def _others(self, subject: str, now: datetime) -> int:
        verdicts = (self._verdict(key, now) for key in self.reach.reached if key != subject)
        return sum(isinstance(each, Dialled) and each.ok for each in verdicts)

    def _when(self, subject: str) -> str:
        answer = self.reach.reached[subject].answer
        told = isinstance(answer, DialAnswer) and answer.time
        return f" at {utc(answer.time):%H:%M:%SZ}" if told else ""  # type: ignore[union-attr]

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Control]:
        """Dial in the same rounds as the host; --passive keeps nobody from looking outwards."""
        contact = yield from Contact()
        if contact.scheme == "local":
            return cls(absent=HERE)
        chosen = destinations(profile)
        deployment, answers = yield from gather(
            attempt(Deployment.ask(profile)),
            every(attempt(dial(each, "", AUDITOR, SECONDS)) for each in chosen),
        )
        reached = {
            each.key: Reached(each, answer) for each, answer in zip(chosen, answers, strict=True)
        }
        for key, destination in tuple(moved(reached, log_host_of(deployment))):
            answer = yield from attempt(dial(destination, "", AUDITOR, SECONDS))
            reached[key] = Reached(destination, answer)
        reached = {key: _by_public_roots(each) for key, each in reached.items()}
        return cls(Reach(reached, public_roots(profile.public_roots)))


def _by_public_roots(reached: Reached) -> Reached:
    """The auditor's own store of roots has no say: another consumer's would not either."""
    return Reached(replace(reached.destination, consumer=Consumer.CONTAINER), reached.answer)
