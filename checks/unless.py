"""What a profile leaves out: the reason a check is not applicable, for `when`, else None."""

from __future__ import annotations

from collections.abc import Callable

from sesam_audit.profile import Profile


def unless_letsencrypt(words: str) -> Callable[[Profile], str | None]:
    """Judged where Let's Encrypt manages the certificates; `words` take what does instead."""

    def reason(profile: Profile) -> str | None:
        used = profile.certificates == "letsencrypt"
        return None if used else words.format(profile.certificates)

    return reason


def unless_own_certificates(profile: Profile) -> str | None:
    if profile.certificates != "letsencrypt":
        return None
    return "certificates = letsencrypt: Traefik gets them itself"


def unless_data_disk(profile: Profile) -> str | None:
    return None if profile.data == "datadisk" else "data = rootdisk: there is no data disk"


def unless_proxy(profile: Profile) -> str | None:
    return None if profile.proxy else "this deployment has no proxy"


def unless_addresses(profile: Profile) -> str | None:
    """Judged where addresses are opened in place of Sesam's names."""
    if profile.sesam_destinations == "ips":
        return None
    return "the Sesam destinations are opened by name (sesam_destinations = domains)"


def unless_extras(profile: Profile) -> str | None:
    return None if profile.extra_destinations else "the profile names no extra destinations"


def unless_closed_destinations(profile: Profile) -> str | None:
    if profile.closed_destinations:
        return None
    return "the profile names no destinations that should be closed (closed_destinations)"


def unless_closed_ports(profile: Profile) -> str | None:
    if profile.closed_ports:
        return None
    return "the profile names no ports that should not answer (closed_ports)"


def unless_redirection(profile: Profile) -> str | None:
    return None if profile.redirect else "the profile says that port 80 does not lead on (redirect)"


def unless_public_key(profile: Profile) -> str | None:
    return None if profile.license_public_key else "the profile names no license_public_key"
