"""The phases that lay files down: license, certificates, the stack's files and .env."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.environment import settle
from sesam_audit.errors import Unknown
from sesam_audit.facts.data_directory import IN_CONTAINER, DataDirectory
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.engine import Engine
from sesam_audit.facts.ground import Ground, Number
from sesam_audit.facts.license import License
from sesam_audit.facts.stack import Stack
from sesam_audit.facts.stack_files import FILES, GUIDE_NAME, StackFiles
from sesam_audit.facts.stack_roles import shortcomings
from sesam_audit.facts.versions import version
from sesam_audit.given import digest
from sesam_audit.migration_plan import brings_license
from sesam_audit.site import Draft, Phase, Site, Step, Stop
from sesam_audit.stack_file import RESOLVER, compose_text, traefik_text
from sesam_audit.store_plan import left_behind
from sesam_audit.wanted import (
    CERTIFICATE,
    CERTIFICATE_KEY,
    CERTIFICATES,
    COMPOSE_FILE,
    ENV_FILE,
    LICENSE,
    POINT,
    TRAEFIK_FILE,
    store,
)

_WATCHTOWERS_OWN = (1, 25)  # what it speaks by itself
_WATCHTOWER_API = "1.44"  # spoken by every daemon since Docker 25, demanded by none so far


def license_key(site: Site, draft: Draft) -> Phase:
    """The license in the data directory."""
    if brings_license(site):
        return
    given, there = site.wishes.license, site.maybe(License)
    if given is None:
        if there is None or there.file.missing:
            draft.missing.append("the license (--license FILE)")
        return
    content = there.content if there and not there.file.missing else None
    if content and not isinstance(content, Unknown) and content.sha256 != given.sha256:
        same = (content.id, content.expires) == (given.id, given.expires or None)
        if same and not set(content.problems) - {"crlf", "bom"}:
            draft.notes.append("the license there is the same but for its line ends: it stays")
            return
    ends = f", ends {given.expires[:10]}" if given.expires else ""
    yield _file(
        site,
        f"{store(site.profile)}/{LICENSE}",
        f"Install the license of subscription {given.id}{ends}",
        "the guide, License Key: without a valid one the pipes stop",
        mode="0600",
        secret="license",  # noqa: S106 - its name
        kept_in=store(site.profile).rpartition("/")[0],  # the store is the node's own
        mends=site.open(*(f"license.{x}" for x in _LICENSE), "layout.data-path"),
    )
    draft.secrets["license"] = given.text


_LICENSE = ("file", "permissions", "format", "expiry", "expiry-soon", "signature", "subscription")


def _file(  # noqa: PLR0913 - what a file is made of
    site: Site,
    path: str,
    title: str,
    reason: str,
    sha256: str = "",
    *,
    mode: str = "0644",
    content: str | None = None,
    secret: str | None = None,
    kept_in: str = "",
    mends: tuple[str, ...] = (),
) -> Step:
    number = site.need(Number)
    return Step(
        kind="file",
        title=title,
        reason=reason,
        after={
            "path": path,
            "uid": number.user,
            "gid": number.group,
            "mode": mode,
            "content": content,
            **({"sha256": sha256} if sha256 else {}),  # of a secret, the agent keeps a keyed one
            **({"kept_in": kept_in} if kept_in else {}),
        },
        mends=mends,
        secret=secret,
    )


def environment(site: Site, draft: Draft) -> Phase:
    """The .env file: documented values settled, all other lines as they are."""
    wishes, number = site.wishes, site.need(Number)
    deployment, license_there = site.need(Deployment), site.maybe(License)
    settled = settle(
        site.profile,
        wishes.environment,
        deployment.values if deployment.present else {},
        subscription=wishes.license.id if wishes.license else _subscription(license_there),
        number=number.user,
        appliance=wishes.appliance,
    )
    draft.missing.extend(_WAYS[key] for key in settled.missing)
    if settled.missing:
        return
    kept = "other lines stay" if deployment.present else "its APPLIANCE_ID is kept for good"
    yield Step(
        kind="environment",
        title=f"Write {ENV_FILE} ({kept})",
        reason=f"the guide, Docker Setup, 2; {site.failed('layout.env') or 'its values'}",
        after={
            "path": ENV_FILE,
            "uid": number.user,
            "gid": number.group,
            "mode": "0600",
            "values": dict(settled.values),
            "names": sorted(wishes.environment.lines),
        },
        mends=site.open("layout.env", "layout.compose-file", "license.subscription"),
        secret="environment" if wishes.environment.lines else None,
    )
    if wishes.environment.lines:
        draft.secrets["environment"] = "".join(f"{x}\n" for x in wishes.environment.lines.values())


_WAYS = {
    "SUBSCRIPTION_ID": "SUBSCRIPTION_ID (it stands in the license: --license FILE)",
    "NODE_DOMAIN": "NODE_DOMAIN (--set node_domain=node.example.org)",
    "DNS_ADMIN": "DNS_ADMIN, to whom Let's Encrypt writes (--set dns_admin=it@example.org)",
}


def _subscription(found: License | None) -> str:
    try:
        return found.id if found and not found.file.missing else ""
    except Unknown:
        return ""


def certificates(site: Site, draft: Draft) -> Phase:
    """Certificate and key of one's own, where Traefik's file leads to them."""
    given = site.wishes.certificate
    if site.profile.certificates == "letsencrypt":
        return
    ground = site.need(Ground)
    there = [f"{CERTIFICATES}/{name}" for name in (CERTIFICATE, CERTIFICATE_KEY)]
    if given is None:
        passes = not site.open("layout.certificates")
        if not passes and any(ground.places[path].missing for path in there):
            draft.missing.append("the certificate (--certificate FILE --certificate-key FILE)")
        return
    mends = site.open("layout.certificates", "layout.certificates-soon", "layout.bind-sources")
    yield _file(
        site,
        there[0],
        f"Install the certificate (SHA-256 {given.fingerprint[:16]}...)",
        f"certificates = {site.profile.certificates}",
        digest(given.text),
        content=given.text,
        mends=mends,
    )
    yield _file(
        site,
        there[1],
        "Install the certificate's key",
        "it fits the certificate",
        mode="0600",
        secret="certificate-key",  # noqa: S106 - its name
        mends=mends,
    )
    draft.secrets["certificate-key"] = given.key


def stack_files(site: Site, draft: Draft) -> Phase:
    """docker-compose.yml and traefik.yml; a file that does its part stays as it is."""
    why = "; ".join(_faults(site))
    if not why:
        draft.notes.append(f"the compose file there does its part and stays ({picked(site)})")
        return
    rivals = [name for name in FILES if name in _names(site) and name != GUIDE_NAME]
    ahead = [name for name in rivals if FILES.index(name) < FILES.index(GUIDE_NAME)]
    if ahead:
        yield Stop(
            f"{POINT}/{ahead[0]} is what compose would pick, before {GUIDE_NAME}: {why}",
            f"Move it away:\n\n    sudo mv {POINT}/{ahead[0]} {POINT}/{ahead[0]}.old",
        )
        return
    if left := left_behind(site):
        yield left
        return
    text = compose_text(site.profile, _watchtower_api(site))
    ids = ("compose-file", "bind-sources", "data-path", "traefik-config", "env")
    yield _file(
        site,
        COMPOSE_FILE,
        f"Write {COMPOSE_FILE}",
        f"the guide, Docker Setup, 1; {why}",
        digest(text),
        content=text,
        mends=site.open(*(f"layout.{x}" for x in ids), "docker.api", "stack.image-channel"),
    )
    yield from _traefik(site)


def _traefik(site: Site) -> Iterator[Step]:
    if site.profile.certificates == "letsencrypt":
        return
    text = traefik_text()
    yield _file(
        site,
        TRAEFIK_FILE,
        f"Write {TRAEFIK_FILE}",
        "Traefik reads a file or flags, never both, so this one says everything",
        digest(text),
        content=text,
        mends=site.open("layout.traefik-config", "layout.bind-sources", "layout.certificates"),
    )


def _names(site: Site) -> tuple[str, ...]:
    names = site.need(StackFiles).names
    if isinstance(names, Unknown):
        raise names
    return names


def picked(site: Site) -> str:
    return next(name for name in FILES if name in _names(site))


def _faults(site: Site) -> Iterator[str]:
    """Why the stack's files have to be written anew."""
    if not set(FILES).intersection(_names(site)):
        yield "there is none yet"
        return
    rendering = site.need(StackFiles).rendering
    if isinstance(rendering, Unknown):
        raise rendering
    if site.wishes.replace_stack:
        yield "asked for by --replace-stack"
    if rendering.stack is None:
        yield f"docker compose refuses the one there: {rendering.message}"
        return
    yield from shortcomings(rendering.stack)
    yield from _misfits(site, rendering.stack)


def _misfits(site: Site, stack: Stack) -> Iterator[str]:
    """Where a stack that is whole is not the one for this deployment and daemon."""
    bound = site.need(DataDirectory).bound
    place, home = bound if bound and not isinstance(bound, Unknown) else None, store(site.profile)
    if place and home not in (place.path, place.leads_to):
        yield f"it mounts {place.path} on {IN_CONTAINER}, and the data belongs in {home}"
    if site.failed("docker.api") and _watchtower_api(site):
        yield f"watchtower would speak too old an API: {site.failed('docker.api')}"
    node, letsencrypt = stack.role("node"), site.profile.certificates == "letsencrypt"
    labels = node.labels.values() if node else ()
    if letsencrypt and RESOLVER not in labels and not _resolved(stack):
        yield "it gets no certificate from Let's Encrypt"
    if not letsencrypt and site.failed("layout.traefik-config"):
        yield site.failed("layout.traefik-config")


def _resolved(stack: Stack) -> bool:
    node = stack.role("node")
    return any(key.lower().endswith(".tls.certresolver") for key in (node.labels if node else ()))


def _watchtower_api(site: Site) -> str:
    """The API version watchtower has to be told; "" where the daemon takes its own."""
    engine = site.need(Engine)
    least, most = engine.api_range
    if least <= _WATCHTOWERS_OWN:
        return ""
    return _WATCHTOWER_API if least <= (version(_WATCHTOWER_API) or ()) <= most else engine.min_api
