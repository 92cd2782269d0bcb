"""The values of .env: from what was given, the profile, the license and the host itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sesam_audit.errors import UsageError
from sesam_audit.facts.deployment import KEYS
from sesam_audit.facts.deployment_values import PLACEHOLDERS, faults
from sesam_audit.given import read_text
from sesam_audit.profile import Profile

SHIPPED = {
    "TRAEFIK_DOCKER_IMAGE_TAG": "latest",
    "SESAM_NODE_IMAGE_TAG": "weekly-prod",
    "FLUENTBIT_IMAGE_TAG": "latest",
}
_PLAIN = re.compile(r"[\w.:@+/-]*", re.ASCII)  # what compose reads as it stands, without quotes


@dataclass(frozen=True)
class GivenEnvironment:
    """A file of `--env`: documented values, and the lines of all other keys as they stand."""

    values: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Settled:
    """The values to be written, in the documented order, and which are still missing."""

    values: Mapping[str, str]
    missing: tuple[str, ...] = ()


def read_environment(path: Path) -> GivenEnvironment:
    """Read the file as compose would.

    Raises:
        UsageError: it cannot be read, or a documented value is not plain text.
    """
    from sesam_audit.probe.env_file import ASSIGNMENT, env_value

    text = read_text(path, "The environment").replace("\r\n", "\n")
    values, lines, at = {}, {}, 0
    while at < len(text):
        found = ASSIGNMENT.match(text, at)
        if found and found[1] in KEYS:
            values[found[1]] = _value(path, found[1], *env_value(found[2]))
        elif found:
            lines[found[1]] = found[0].strip()
        at = (text.find("\n", found.end() if found else at) + 1) or len(text)
    return GivenEnvironment(values, lines)


def _value(path: Path, key: str, value: str, doubtful: bool) -> str:
    if doubtful or not _PLAIN.fullmatch(value):
        raise UsageError(f"{path}: {key} is not plain text", "Write it without quotes and $")
    return value


def settle(  # noqa: PLR0913 - each is a source of values, in the order in which they count
    profile: Profile,
    given: GivenEnvironment,
    current: Mapping[str, str],
    *,
    subscription: str,
    number: int,
    appliance: str,
) -> Settled:
    """What .env shall say: facts first, then what was given, then what is there, then defaults.

    Raises:
        UsageError: a value that was given cannot be what it stands for.
    """
    for key, value in {**given.values, **_wished(profile)}.items():
        for text in faults(key, value) if value else ():
            raise UsageError(f"{key} is {value}: {text}", "Give the right one with --env or --set")
    there = {key: value for key, value in current.items() if _usable(key, value)}
    known = {
        **SHIPPED,
        "FLUENTBIT_HOST": profile.fluentbit_host,
        "APPLIANCE_ID": appliance,
        **there,
        **{key: value for key, value in given.values.items() if value},
        **_wished(profile),
        **({"SUBSCRIPTION_ID": subscription} if subscription else {}),
        "USER_ID": str(number),
    }
    return Settled(
        {key: known[key] for key in KEYS if known.get(key)},
        tuple(key for key in _needed(profile) if not known.get(key)),
    )


def _wished(profile: Profile) -> dict[str, str]:
    named = {"NODE_DOMAIN": profile.node_domain, "DNS_ADMIN": profile.dns_admin}
    return {key: value for key, value in named.items() if value}


def _usable(key: str, value: str) -> bool:
    """Whether a value of the host's own .env may stay; placeholders and broken ones do not."""
    return bool(value) and value not in PLACEHOLDERS and not any(faults(key, value))


def _needed(profile: Profile) -> Iterator[str]:
    yield from ("SUBSCRIPTION_ID", "NODE_DOMAIN")
    if profile.certificates == "letsencrypt":
        yield "DNS_ADMIN"
