"""Whether the values of .env can be what they stand for: one sentence for each that cannot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sesam_audit.errors import Unknown
from sesam_audit.facts.account import SesamUser, UserIdOwner
from sesam_audit.facts.deployment import KEYS, Deployment
from sesam_audit.facts.inspection import Inspection
from sesam_audit.profile import Profile
from sesam_audit.profile_values import is_mail
from sesam_audit.wanted import ENV_FILE

PLACEHOLDERS = frozenset(
    {"your_appliance_id", "your_subscription_id", "your_node_domain", "valid@email.address"}
)
CHANNELS = ("weekly-prod", "weekly", "nightly", "latest")

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
_OPTIONAL = frozenset({"DNS_ADMIN", "FLUENTBIT_HOST"})


def inspect_values(
    deployment: Deployment, sesam: SesamUser, owner: UserIdOwner, profile: Profile
) -> Inspection:
    """Judge the values that count, as rendered, by the documented keys."""
    found = Inspection()
    if not deployment.present:
        found.problem(f"there is no {ENV_FILE}")
    if deployment.directory:
        found.problem(f"{ENV_FILE} is a directory, not a file")
        return found
    for key in KEYS if deployment.present or deployment.values else ():
        _judge(found, key, deployment)
    for text in _pinned(deployment):
        found.problem(text)
    for text in _user(deployment, sesam, owner):
        found.problem(text)
    if not sesam.exists:
        found.doubt(
            Unknown("there is no user sesam to compare USER_ID with (layout.user)", "id sesam")
        )
    for text in _remarks(deployment, profile):
        found.note(text)
    if deployment.origin == "file":
        found.note(f"read from {ENV_FILE}, because the stack could not be rendered")
    return found


def _remarks(deployment: Deployment, profile: Profile) -> Iterator[str]:
    domain = deployment.values.get("NODE_DOMAIN", "")
    if profile.node_domain and domain and domain.lower() != profile.node_domain.lower():
        yield f"the profile's node_domain is {profile.node_domain}"
    for key in deployment.pinned.keys() - {"SESAM_NODE_IMAGE_TAG"}:
        yield f"{key} counts for nothing: the stack's file pins that image to a digest"
    if domain != domain.lower():
        yield "NODE_DOMAIN has capital letters, which make no difference"


def _judge(found: Inspection, key: str, deployment: Deployment) -> None:
    try:
        value = deployment.value(key)
    except Unknown as doubt:
        found.doubt(doubt)
        return
    if not value:
        if key not in _OPTIONAL:
            found.problem(f"{key} is not set")
    elif value in PLACEHOLDERS or value.startswith("your_"):
        found.problem(f"{key} is still the placeholder {value}")
    else:
        for text in faults(key, value):
            found.problem(f"{key} is {value}: {text}")


def faults(key: str, value: str) -> Iterator[str]:
    """Why a value cannot be what its key stands for."""
    return _RULES.get(key, _anything)(value)


def _anything(_: str) -> Iterator[str]:
    return iter(())


def _appliance(value: str) -> Iterator[str]:
    if not _UUID.fullmatch(value):
        yield "not a UUID"


def _channel(value: str) -> Iterator[str]:
    if value not in CHANNELS:
        yield f"not a channel ({', '.join(CHANNELS)})"


def _number(value: str) -> Iterator[str]:
    if not (value.isascii() and value.isdigit()):
        yield "not the number of a user"


def _address(value: str) -> Iterator[str]:
    if not is_mail(value):
        yield "not an e-mail address"


def _domain(value: str) -> Iterator[str]:
    """The first thing that keeps a text from being a plain, fully qualified host name."""
    labels = value.split(".")
    faults: dict[str, bool] = {
        "a scheme is not part of a name": "://" in value,
        "quotes are not part of a name": bool(re.search(r"[\"'`]", value)),
        "a path is not part of a name": "/" in value,
        "a port is not part of a name": ":" in value,
        "a dot at its end": value.endswith("."),
        "an address, not a name": bool(re.fullmatch(r"[\d.]+", value)),
        "an underscore, which no host name may have": "_" in value,
        "not fully qualified": len(labels) < 2,
        "capital letters only": value.isupper(),
        "not a host name": len(value) > 253 or not all(map(_LABEL.fullmatch, labels)),
    }
    yield from [text for text, wrong in faults.items() if wrong][:1]


_RULES: dict[str, Callable[[str], Iterator[str]]] = {
    "APPLIANCE_ID": _appliance,
    "SESAM_NODE_IMAGE_TAG": _channel,
    "USER_ID": _number,
    "DNS_ADMIN": _address,
    "NODE_DOMAIN": _domain,
    "FLUENTBIT_HOST": _domain,
}


def _pinned(deployment: Deployment) -> Iterator[str]:
    digest = deployment.pinned.get("SESAM_NODE_IMAGE_TAG", "")
    if digest:
        yield (
            f"the stack's file pins sesam-node to {digest[:19]}, so SESAM_NODE_IMAGE_TAG counts for"
            " nothing and no update comes"
        )


def _user(deployment: Deployment, sesam: SesamUser, owner: UserIdOwner) -> Iterator[str]:
    value = deployment.values.get("USER_ID", "")
    if "USER_ID" in deployment.doubtful and "USER_ID" not in deployment.rendered:
        return
    if sesam.exists and value.isascii() and value.isdigit() and int(value) != sesam.uid:
        whose = f", the number of {owner.name}" if owner.name else ""
        yield f"USER_ID is {value}{whose}; sesam's number is {sesam.uid}"
