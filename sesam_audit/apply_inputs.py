"""From the words of `apply` to a session: everything given is judged before a host is touched."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sesam_audit.apply_session import Session, moment, taken_back
from sesam_audit.asking import ask_password, profile_of, request_of, way_of
from sesam_audit.delivery import Delivery
from sesam_audit.environment import GivenEnvironment, read_environment
from sesam_audit.errors import UsageError
from sesam_audit.given import GivenCertificate, GivenLogin, certificate_of, license_of
from sesam_audit.host import parse
from sesam_audit.profile import Profile
from sesam_audit.site import Wishes

_WHOLE = {"stage": "preflight", "only": (), "skip": ()}  # apply judges everything


def session_of(host: str, options: Mapping[str, Any]) -> Session:
    """Read and judge all that was given.

    Raises:
        UsageError: something does not fit; no host was touched.
    """
    target, profile = parse(host), profile_of(options)
    wishes = _wishes(options, profile)
    delivery = Delivery.of(options)
    way = way_of(options, alone=True)
    request = request_of({**options, **_WHOLE}, profile, way)
    login = _login(options["login"]) if not options["plan"] else _unasked(options["login"])
    return Session(
        target=target,
        request=request,
        wishes=_with_login(wishes, login),
        delivery=delivery,
        only_plan=options["plan"],
        yes=options["yes"],
    )


def _with_login(wishes: Wishes, login: GivenLogin | None) -> Wishes:
    from dataclasses import replace

    return replace(wishes, login=login)


def _wishes(options: Mapping[str, Any], profile: Profile) -> Wishes:
    license_file, env_file = options["license_file"], options["env_file"]
    environment = read_environment(env_file) if env_file else GivenEnvironment()
    return Wishes(
        license=license_of(license_file, profile, moment()) if license_file else None,
        environment=environment,
        certificate=_certificate(options, profile, environment),
        start=not options["no_start"],
        start_anyway=options["start_anyway"],
        replace_stack=options["replace_stack"],
        backup_made=options["backup_made"],
        stop=options["stop"],
        deadline=options["start_deadline"],
        appliance=str(uuid.uuid4()),
    )


def _certificate(
    options: Mapping[str, Any], profile: Profile, environment: GivenEnvironment
) -> GivenCertificate | None:
    path, key = options["certificate_file"], options["key_file"]
    if not path and not key:
        return None
    if profile.certificates == "letsencrypt":
        raise UsageError(
            "--certificate does not go with certificates = letsencrypt",
            "Use --set certificates=provided or --set certificates=self-signed",
        )
    if not (path and key):
        raise UsageError("A certificate and its key come together", "Give both")
    domain = profile.node_domain or environment.values.get("NODE_DOMAIN", "")
    if not domain:
        raise UsageError(
            "Whether the certificate fits cannot be told without a name",
            "Use --set node_domain=node.example.org",
        )
    return certificate_of(Path(path), Path(key), profile, domain, moment())


def _login(user: str | None) -> GivenLogin | None:
    if not user:
        return None
    return GivenLogin(user=user, password=ask_password(f"Docker Hub password of {user}: "))


def _unasked(user: str | None) -> GivenLogin | None:
    """A plan needs no password: nothing is logged in to."""
    return GivenLogin(user=user, password="") if user else None


def take_back(host: str, options: Mapping[str, Any], verb: str) -> int:
    """Undo or finish on one host."""
    return taken_back(parse(host), way_of(options, alone=True), options, verb)
