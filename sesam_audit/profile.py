"""The options of a deployment and the sizes it demands: shipped defaults, TOML file, `--set`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from sesam_audit.errors import UsageError
from sesam_audit.profile_values import FILES, NO_FILE, RULES, FileRule, NamedFile, is_mail
from sesam_audit.quantity import Size
from sesam_audit.reading import read


@dataclass(frozen=True)
class Sizes:
    """Demanded sizes (guide: Hardware requirements); bytes."""

    cpus: int = 4
    memory: Size = Size(16 * 10**9)
    data_partition: Size = Size(350 * 10**9)


@dataclass(frozen=True)
class Profile:
    """How Sesam is to be deployed on the audited hosts (docs/profile.md)."""

    certificates: Literal["letsencrypt", "provided", "self-signed"] = "letsencrypt"
    data: Literal["datadisk", "rootdisk"] = "datadisk"
    sesam_destinations: Literal["domains", "ips"] = "domains"
    node_domain: str = ""
    dns_admin: str = ""
    fluentbit_host: str = "ss-companyhub.sesam.cloud"
    proxy: str = ""
    proxy_credentials: str = ""
    public_addresses: tuple[str, ...] = ()
    client_networks: tuple[str, ...] = ()
    network_subnets: tuple[str, ...] = ()
    auditor_stands_for: Literal["unset", "internet", "clients", "none"] = "unset"
    extra_destinations: tuple[str, ...] = ()
    closed_destinations: tuple[str, ...] = ()
    closed_ports: tuple[int, ...] = ()
    public_roots: NamedFile = NO_FILE
    license_public_key: NamedFile = NO_FILE
    earlier: NamedFile = NO_FILE
    rhel_rebuilds: Literal["fail", "accept"] = "fail"
    deadline: float = 10.0
    measure_storage: bool = False
    spend_pull: bool = False
    vantages: tuple[str, ...] = ()
    passive: bool = False
    listen: bool = True
    redirect: bool = True
    settled: float = 0.0
    hardware: Sizes = field(default_factory=Sizes)

    @property
    def proxy_address(self) -> tuple[str, int] | None:
        """The proxy's host and port, or None without a proxy."""
        if not self.proxy:
            return None
        parts = urlsplit(self.proxy if "//" in self.proxy else f"//{self.proxy}")
        return parts.hostname or "", parts.port or 3128

    @property
    def outside(self) -> tuple[tuple[str, str], ...]:
        """The `--from` vantages: each host's spec, and whom it stands for."""
        parted = (each.partition("=") for each in self.vantages)
        return tuple((spec, stands or "unset") for spec, _, stands in parted)

    def changed(self) -> dict[str, str]:
        """The keys that differ from the shipped defaults, as text, for the report's header."""
        return dict(_differences("", self, Profile()))

    def lowered(self) -> str:
        """The sentence that says which demanded sizes were lowered, or nothing."""
        shipped, mine = Sizes(), self.hardware
        low = [
            f"{item.name.replace('_', ' ')} {getattr(mine, item.name)}"
            f" instead of {getattr(shipped, item.name)}"
            for item in fields(Sizes)
            if getattr(mine, item.name) < getattr(shipped, item.name)
        ]
        return "Sizes lowered by the profile: " + ", ".join(low) if low else ""


def _differences(prefix: str, mine: Any, shipped: Any) -> Iterable[tuple[str, str]]:
    for item in fields(mine):
        value, default = getattr(mine, item.name), getattr(shipped, item.name)
        if is_dataclass(value):
            yield from _differences(f"{item.name}.", value, default)
        elif value != default:
            text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            yield f"{prefix}{item.name}", text


def load(path: Path | None, settings: Iterable[str] = ()) -> Profile:
    """The shipped defaults, changed by a TOML file and by KEY=VALUE settings, in that order.

    Raises:
        UsageError: unreadable file, unknown key (the nearest is named), value of a wrong kind,
            or a password inside a URL.
    """
    profile = Profile()
    if path is not None:
        profile = _merge(profile, _read(path), str(path), "")
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UsageError(f"--set {setting!r} has no value", "Write --set KEY=VALUE")
        tree: Any = value
        for part in reversed(key.strip().split(".")):
            tree = {part: tree}
        profile = _merge(profile, tree, "--set", "")
    return _validated(profile)


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    data = read(path, "The profile")
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not TOML, endless digits
        raise UsageError(f"The profile {str(path)!r} is not valid TOML: {error}") from error


def _merge(record: Any, tree: Mapping[str, Any], origin: str, prefix: str) -> Any:
    kinds = get_type_hints(type(record))
    changes: dict[str, Any] = {}
    for key, value in tree.items():
        if key not in kinds:
            raise UsageError(f"{origin}: there is no key {prefix + key!r}", _nearest(prefix + key))
        if is_dataclass(kinds[key]):
            if not isinstance(value, Mapping):
                raise UsageError(f"{origin}: {key!r} is a table", f"Write {key}.NAME = VALUE")
            changes[key] = _merge(getattr(record, key), value, origin, f"{key}.")
        else:
            changes[key] = _convert(kinds[key], value, prefix + key, origin)
    return replace(record, **changes)


def _nearest(key: str) -> str:
    import difflib

    known = list(_keys("", Profile()))
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.3)
    return f"Did you mean {close[0]!r}?" if close else f"Known keys: {', '.join(known)}"


def _keys(prefix: str, record: Any) -> Iterator[str]:
    for item in fields(record):
        value = getattr(record, item.name)
        if is_dataclass(value):
            yield from _keys(f"{item.name}.", value)
        else:
            yield prefix + item.name


def _convert(kind: Any, value: Any, key: str, origin: str) -> Any:
    """One value of the type its key declares; text from --set is read as that type."""
    try:
        if get_origin(kind) is Literal:
            if value in get_args(kind):
                return value
            raise ValueError(f"{value!r} is not one of {', '.join(get_args(kind))}")
        if kind is Size and not isinstance(value, bool):
            return Size.parse(value)
        if get_origin(kind) is tuple:
            return _numbers(value, key) if get_args(kind)[0] is int else _texts(value)
        if kind in (int, float) and not isinstance(value, bool):
            return _number(kind, value, key)
        if kind is bool and str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        if kind in (str, NamedFile) and isinstance(value, str):
            return value
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"{origin}: {key}: {error}") from error
    shown = "str" if kind is NamedFile else kind.__name__
    raise UsageError(f"{origin}: {key}: {value!r} is not a {shown}")


def _texts(value: Any) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ValueError(f"{value!r} is not a list of texts")
    return tuple(part.strip() for part in parts if part.strip())


def _numbers(value: Any, key: str) -> tuple[int, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or any(isinstance(part, (bool, float)) for part in parts):
        raise ValueError(f"{value!r} is not a list of numbers")
    said = [part for part in parts if str(part).strip()]
    return tuple(dict.fromkeys(int(_number(int, part, key)) for part in said))


def _number(kind: type[int | float], value: Any, key: str) -> int | float:
    number = kind(value)
    if isinstance(value, float) and number != value and value < float("inf"):
        raise ValueError(f"{value!r} is not a whole number")
    most = _MOST[key]
    if key == "settled" and number == 0:
        return number
    if not 0 < number <= most:
        raise ValueError(f"{value!r:.100} is not a number above zero and up to {most}")
    return number


_MOST = {"deadline": 3600, "settled": 86_400, "hardware.cpus": 65_536, "closed_ports": 65_535}


def _validated(profile: Profile) -> Profile:
    """The profile with its addresses as everybody spells them, and with what its files hold.

    Raises:
        UsageError: a value cannot be what it stands for; the key and what to write are named.
    """
    if "@" in profile.proxy:
        raise UsageError(
            "proxy: a password in the address would be seen by others",
            "Name a file that holds USER:PASSWORD in `proxy_credentials`, or - for standard input",
        )
    if profile.passive and profile.measure_storage:
        raise UsageError(
            "passive and measure_storage exclude each other: measuring writes a file",
            "Leave one of --passive and --measure-storage out",
        )
    for key, rule in RULES.items():
        given = getattr(profile, key)
        for text in given if isinstance(given, tuple) else filter(None, [given]):
            if not rule.fits(text):
                secret = "@" in text and rule.fits is not is_mail  # perhaps a login: not repeated
                shown = "the value" if secret else f"{text!r:.200}"
                raise UsageError(f"{key}: {shown} is not {rule.what}", rule.write)
    if profile.vantages:
        _check_vantages(profile)
    _check_subnets(profile.network_subnets)
    named: dict[str, Any] = {
        key: _read_file(key, getattr(profile, key), file)
        for key, file in FILES.items()
        if getattr(profile, key)
    }
    addresses = tuple(str(ip_address(each)) for each in profile.public_addresses)
    return replace(profile, public_addresses=addresses, **named)


def _check_vantages(profile: Profile) -> None:
    from sesam_audit.host import parse  # 10 ms, for vantages alone

    for spec, stands in profile.outside:
        known = parse(spec).spec
        if stands not in ("unset", "internet", "clients", "none"):
            raise UsageError(
                f"vantages: {known}={stands} is not a vantage",
                "Write ssh://HOST=internet or ssh://HOST=clients",
            )


def _read_file(key: str, path: str, rule: FileRule) -> NamedFile:
    try:
        if not Path(path).is_file():
            raise UsageError(f"{key}: there is no file {path!r}")
        content = Path(path).read_bytes()
        rule.read(content)
    except OSError as error:
        raise UsageError(f"{key}: {path!r} cannot be read: {error.strerror}") from error
    except ValueError as error:
        why = " ".join(str(error).split())[:200]
        raise UsageError(f"{key}: {path!r} does not hold {rule.what}: {why}", rule.write) from error
    return NamedFile(path, content.decode("utf-8", "replace"))


def _check_subnets(subnets: tuple[str, ...]) -> None:
    if not subnets:
        return
    try:
        first, second = map(IPv4Network, subnets)
    except ValueError as error:
        raise UsageError(
            f"network_subnets: {error}",
            "Write two, for sesam and microservices: 10.213.0.0/24,10.213.1.0/24",
        ) from error
    if first.overlaps(second) or max(first.prefixlen, second.prefixlen) > 28:
        raise UsageError("network_subnets: they overlap, or one is smaller than /28")
