"""A pull, rehearsed: a public layer's first bytes, and the private image's manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from shlex import quote

from msgspec import Struct, field
from msgspec.structs import replace

from sesam_audit.asks import Pull, PullAnswer, Steps
from sesam_audit.destinations import (
    PINNED_BLOBS,
    PRIVATE_IMAGE,
    PRODUCTION_TAG,
    PinnedBlob,
    layer_host,
)
from sesam_audit.errors import Unknown, needs_root
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.deployment import Deployment, amiss
from sesam_audit.facts.dialled import classify
from sesam_audit.facts.identity import vouched
from sesam_audit.facts.name_servers import NameServers
from sesam_audit.facts.scene import HUB_ROOTS, SHORT, Dialled, Scene
from sesam_audit.facts.trust import Bundle, public_roots
from sesam_audit.profile import Profile
from sesam_audit.rules import RULES
from sesam_audit.wanted import LOGIN_FILE

REGISTRY, AUTH = "registry-1.docker.io", "auth.docker.io"
OLD_LAYERS = ".r2.cloudflarestorage.com"  # on Docker's own list from 2025-01 to 2026-06
BY_HAND = "sudo docker pull hello-world"

_GONE = frozenset({"BLOB_UNKNOWN", "NAME_UNKNOWN", "MANIFEST_UNKNOWN"})
_GZIP = "1f8b"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


class Pulled(Struct, frozen=True):
    """What one rehearsed pull came to."""

    answer: PullAnswer
    roots: Bundle = field(default_factory=Bundle)
    proxy: str = ""
    resolving: float = SHORT  # as Scene has it

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that was met, in order."""
        return tuple(dict.fromkeys(step.host for step in self.answer.steps))

    @property
    def host(self) -> str:
        """The host where it ended."""
        return self.answer.steps[-1].host if self.answer.steps else ""

    @property
    def status(self) -> int:
        """The last HTTP status, 0 when none came."""
        return self.answer.last.status if self.answer.last else 0

    @property
    def gone(self) -> bool:
        """Whether the registry itself says that it holds no such thing."""
        return self.status == 404 and self.host == REGISTRY and self.answer.code in _GONE

    @property
    def arrived(self) -> bool:
        """Whether a layer's first bytes came: layers are gzipped, block pages are not."""
        whole = not self.answer.error and self.status in (200, 206)
        return whole and self.answer.received > 0 and self.answer.sample.startswith(_GZIP)

    @property
    def refused(self) -> bool:
        """Whether it ended with a certificate, which a dial would have passed over."""
        last = self.answer.last
        return last is not None and last.layer == "tls" and bool(last.chain)

    @property
    def read(self) -> bool:
        """Whether the registry showed the manifest itself, so that a layer was asked for."""
        return any("/blobs/" in each.path for each in self.answer.steps)

    @property
    def way(self) -> str:
        """Every request with its answer, in one line."""
        steps = self.answer.steps
        return ", ".join(f"{x.host} {x.status or x.error or 'without an answer'}" for x in steps)

    def ended(self, now: datetime) -> Dialled:
        """How far the last connection got and who answered, in the words of a dial.

        Raises:
            Unknown: the target could not try, or had no time left.
        """
        answer = self.answer
        self.tried()
        if answer.error == "TIMEOUT" and 0 < answer.seconds < SHORT:
            raise Unknown(f"only {answer.seconds:.1f} s were left of the deadline", BY_HAND)
        verdict = classify(self.scene(now))
        if verdict.ok and answer.error:
            why = answer.detail or answer.error
            text = f"HTTP {self.status}, then it ended after {answer.received} bytes: {why}"
            verdict = Dialled("wrong-service", text)
        return replace(verdict, text=f"{self.host}: {verdict.text}")

    def layer(self, now: datetime) -> Dialled:
        """Whether a layer's first bytes came, and if not, who is in the way.

        Raises:
            Unknown: the target could not try, or had no time left.
        """
        verdict = self.ended(now)
        if self.arrived:
            return Dialled("ok", f"{self.answer.received} bytes of a layer from {self.host}")
        if not verdict.ok:
            return verdict
        said = f"{self.host}: HTTP {self.status} {self.answer.code}".rstrip()
        if self.vouched(now):
            return Dialled("service-trouble", f"{said}: the service's own, not a firewall's")
        return Dialled("wrong-service", f"{said}, which is no layer")

    def tried(self) -> None:
        """Raises Unknown where the target could not try at all."""
        error = self.answer.error or ""
        if error == "UNSUPPORTED":
            raise Unknown("the target has no Python 3.6 or later, which a pull needs", BY_HAND)
        if error.startswith("CRASH"):
            raise Unknown(f"the rehearsal went wrong: {error}", BY_HAND)
        if error == "EACCES" and self.answer.last and self.answer.last.layer == "tls":
            raise needs_root(self.answer.detail, HUB_ROOTS)
        if not self.answer.steps:
            raise Unknown(f"no pull was rehearsed ({error or 'no words'})", BY_HAND)

    def scene(self, now: datetime) -> Scene:
        """The last connection with all it is judged by. Raises Unknown where there was none."""
        answer, last = self.answer, self.answer.last
        if last is None:
            raise Unknown("the rehearsal showed no connection", BY_HAND)
        layer = "http" if self.refused else last.layer
        had = answer.seconds - sum(step.seconds for step in answer.steps[:-1])
        last = replace(
            last, layer=layer, error=last.error or answer.error, seconds=max(0.0, round(had, 4))
        )
        host = layer_host(self.host)
        return Scene(last, host, now, self.roots, self.proxy, resolving=self.resolving)

    def vouched(self, now: datetime) -> bool:
        """Whether public roots prove who answered last. Raises Unknown where that is hidden."""
        return vouched(self.scene(now))


class Rehearsal(Struct, frozen=True):
    """The public pull, by the first pinned layer that is still there, and the private one."""

    public: Pulled | Unknown
    private: Pulled | Unknown
    tag: str = PRODUCTION_TAG  # or the digest that the image is pinned to
    spent: Pulled | Unknown | None = None  # a layer of the private image, with --spend-pull

    @property
    def ended_at(self) -> str:
        """The subject of the destination where the public pull ended."""
        return f"{self.public.host}:443" if isinstance(self.public, Pulled) else ""

    @property
    def pulls(self) -> tuple[Pulled, ...]:
        """Those that were tried."""
        several = (self.public, self.private, self.spent)
        return tuple(each for each in several if isinstance(each, Pulled))

    def layers(self, now: datetime) -> Dialled:
        """Whether a layer's first bytes came, and if not, who is in the way.

        Raises:
            Unknown: it was not tried, or the pinned layers are gone.
        """
        pulled = known(self.public)
        if pulled.gone:
            raise Unknown("the registry no longer holds the layers that are pinned", BY_HAND)
        return pulled.layer(now)

    @property
    def image(self) -> str:
        return f"{PRIVATE_IMAGE}{'@' if ':' in self.tag else ':'}{self.tag}"

    def spent_layer(self, now: datetime) -> Dialled:
        """As `layers`, of the private image.

        Raises:
            Unknown: no pull was spent, or the registry did not show the manifest for it.
        """
        spent = known(self.spent or Unknown("--spend-pull was not given"))
        spent.tried()
        if not spent.read:
            raise Unknown(
                f"the manifest of {self.image} was not read, so no layer was asked for: {spent.way}"
                " (docker.registry-access)",
                f"sudo docker --config /home/sesam/.docker pull {quote(self.image)}",
            )
        return spent.layer(now)

    def met(self) -> tuple[str, ...]:
        """Every host of both pulls.

        Raises:
            Unknown: neither was tried.
        """
        hosts = tuple(dict.fromkeys(host for each in self.pulls for host in each.hosts))
        if not hosts:
            known(self.public).tried()
            raise Unknown("no host was met", BY_HAND)
        return hosts

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Rehearsal]:
        """Try both at once; the private image again when .env names another tag."""
        roots = public_roots(profile.public_roots)
        deployment, public, private, servers = yield from gather(
            attempt(Deployment.ask(profile)),
            attempt(_public()),
            attempt(_private(PRODUCTION_TAG)),
            NameServers.ask(profile),
        )
        tag = _tag(deployment)
        if isinstance(tag, Unknown):
            private = tag
        elif tag != PRODUCTION_TAG:
            private = yield from attempt(_private(tag))
        spent: PullAnswer | Unknown | None = None
        if profile.spend_pull and isinstance(tag, str):
            spent = yield from attempt(_private(tag, spend=True))
        told = partial(_pulled, roots=roots, resolving=servers.by_host)
        return cls(
            public if isinstance(public, Unknown) else told(public),
            private if isinstance(private, Unknown) else told(private),
            PRODUCTION_TAG if isinstance(tag, Unknown) else tag,
            told(spent) if isinstance(spent, PullAnswer) else spent,
        )


def known(pulled: Pulled | Unknown) -> Pulled:
    """The pull. Raises the Unknown it may be."""
    if isinstance(pulled, Unknown):
        raise pulled
    return pulled


def firewalled(verdict: Dialled) -> Dialled:
    """The verdict on a pull. Raises Unknown where it ended by no fault of a firewall."""
    if verdict.proxy_fault:
        raise Unknown(f"{verdict} (outbound.proxy)", BY_HAND)
    if verdict.word == "service-trouble":
        raise Unknown(f"{verdict}; try again later", BY_HAND)
    return verdict


def uncovered(hosts: Iterable[str]) -> tuple[str, ...]:
    """The hosts outside the guide's wildcards, those known of old with what is known."""
    return tuple(
        f"{host} (Docker's own list held it until June 2026)" if host.endswith(OLD_LAYERS) else host
        for host in hosts
        if not RULES["OUT-HUB"].covers(host)
    )


def _pulled(answer: PullAnswer, roots: Bundle, resolving: float) -> Pulled:
    return Pulled(answer, roots, answer.last.proxy if answer.last else "", resolving)


def _public() -> Steps[PullAnswer]:
    """The first pinned layer, or where the registry has lost it the next."""
    for blob in PINNED_BLOBS[:-1]:
        answer = yield from _blob(blob)
        if not Pulled(answer).gone:
            return answer
    return (yield from _blob(PINNED_BLOBS[-1]))


def _blob(blob: PinnedBlob) -> Steps[PullAnswer]:
    return (yield from Pull(blob.repository, blob.digest, "GET", context="daemon"))


def _private(tag: str, *, spend: bool = False) -> Steps[PullAnswer]:
    ask = Pull(PRIVATE_IMAGE, tag, login_file=LOGIN_FILE, context="daemon", spend=spend)
    return (yield from ask)


def _tag(deployment: Deployment | Unknown) -> str | Unknown:
    """The image's tag, or the digest it is pinned to.

    The production tag where .env cannot be read or names none.
    """
    if isinstance(deployment, Unknown):
        return PRODUCTION_TAG
    if digest := deployment.pinned.get("SESAM_NODE_IMAGE_TAG"):
        whole = _DIGEST.fullmatch(digest)
        return digest if whole else Unknown(f"the image is pinned to {digest!r}, no digest")
    try:
        tag = deployment.value("SESAM_NODE_IMAGE_TAG") or PRODUCTION_TAG
    except Unknown as unknown:
        return unknown
    return tag if _TAG.fullmatch(tag) else amiss("SESAM_NODE_IMAGE_TAG", tag, "no tag")
