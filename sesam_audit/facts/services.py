"""Services: the units that keep time or serve the web, in systemd's own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from sesam_audit.asks import Names, NamesAnswer, Run, Stat, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.profile import Profile

TIME = (
    *("systemd-timesyncd.service", "chrony.service", "chronyd.service", "ntpsec.service"),
    *("ntp.service", "ntpd.service", "ntpd-rs.service", "openntpd.service"),
)
WEB = (
    *("nginx.service", "apache2.service", "httpd.service", "caddy.service"),
    *("haproxy.service", "lighttpd.service"),
)
_UNITS = (*TIME, *WEB)
_WORDS = "--property=Names,LoadState,ActiveState,UnitFileState"
_SHOW = Run(("systemctl", "show", "--no-pager", _WORDS, *_UNITS))
_SYNCHRONISED = Run(("timedatectl", "show", "--property=NTPSynchronized", "--value"))
_LINKS = tuple(
    Names(f"{root}/systemd/system/{target}.target.wants")
    for root in ("/etc", "/usr/lib")
    for target in ("multi-user", "sysinit", "basic")
)


class Unit(Struct, frozen=True):
    """One unit; "" where a word is not known."""

    name: str
    load: str = "not-found"  # loaded, not-found, masked
    active: str = ""  # active, inactive, failed, activating, ...
    enabled: str = ""  # enabled, disabled, static, ...


class Services(Struct, frozen=True):
    """Units by name, aliases included."""

    units: dict[str, Unit] = {}
    running: bool = True  # False: an image, whose words are read from its files
    synchronised: bool | None = None  # the kernel's clock is kept in step, by whomever

    def of(self, names: Iterable[str]) -> tuple[Unit, ...]:
        """Those of the named units that are installed, each once."""
        found = (self.units.get(name, Unit(name)) for name in names)
        return tuple(dict.fromkeys(unit for unit in found if unit.load != "not-found"))

    @classmethod
    def ask(cls, profile: Profile) -> Steps[Services]:
        """Ask systemd; in an image, read from its links what it would start."""
        shown, links, kernel = yield from gather(
            attempt(_SHOW),
            every(map(attempt, _LINKS)),
            Stat("/proc/version"),
        )
        if not isinstance(shown, Unknown) and shown.code == 0:
            services = cls(dict(_units(shown.out)))
            if any(unit.active == "active" for unit in services.of(TIME)):
                return services
            # It wakes timedated by D-Bus, so it is asked only where no service is seen.
            synchronised = yield from attempt(_SYNCHRONISED)
            told = "" if isinstance(synchronised, Unknown) else synchronised.out.strip()
            return replace(services, synchronised={"yes": True, "no": False}.get(told))
        found = [link for link in links if isinstance(link, NamesAnswer)]
        if not kernel.missing or all(link.missing for link in found):
            raise Unknown("systemd does not answer here", "systemctl status")
        started = {name for link in found for name in link.names}
        if not started.intersection(TIME):
            _listed(links)
        units = {name: Unit(name, "loaded", "", "enabled") for name in _UNITS if name in started}
        return cls(units, running=False)


def _listed(links: tuple[NamesAnswer | Unknown, ...]) -> None:
    """Raises Unknown where a directory of links was not listed, and may start something."""
    for ask, link in zip(_LINKS, links, strict=True):
        if isinstance(link, Unknown):
            raise link
        if link.error and not link.missing:
            raise denied(link, ask.path)


def _units(text: str) -> Iterator[tuple[str, Unit]]:
    for block in text.split("\n\n"):
        words = dict(line.partition("=")[::2] for line in block.splitlines())
        for name in words.get("Names", "").split():
            states = (words.get(key, "") for key in ("LoadState", "ActiveState", "UnitFileState"))
            yield name, Unit(words["Names"].split()[0], *states)
