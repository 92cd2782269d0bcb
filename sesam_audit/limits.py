"""What no run of this release can prove, said in every report before anything else is believed."""

from __future__ import annotations

from collections.abc import Iterator

from sesam_audit.destinations import destinations
from sesam_audit.errors import Unknown
from sesam_audit.evidence import Known
from sesam_audit.facts.outside import Outside
from sesam_audit.facts.rooms import Rooms
from sesam_audit.profile import Profile
from sesam_audit.requirement import Requirement
from sesam_audit.rules import RULES


def not_verified(profile: Profile, chosen: list[Requirement], known: Known) -> Iterator[str]:
    """One sentence for each limit that touches what was judged."""
    categories = {item.category for item in chosen}
    if "outbound" in categories:
        yield from _wildcards(profile)
        yield from _rooms(known[Rooms])
        yield "Uploads (POST) were not tested, and metrics go to a host that nobody documents."
        yield "The host's address after NAT was not measured: no outside party was asked."
    if "inbound" in categories:
        outside = known[Outside]
        for absence in () if isinstance(outside, Unknown) else outside.absences:
            yield f"{absence}. Nothing was dialled from there."
        yield "Inbound is told of the vantages named at each finding, never of ANY or the internet."
        yield (
            "Nothing listened on free ports for the audit (--passive, or stage live)."
            if profile.passive or not profile.listen
            else "Where 80 and 443 were free the audit's own listener answered, not the stack;"
            " what lies between Docker and it was proved where a container published the ports."
        )
    if any(item.id == "stack.portal" for item in chosen):
        yield "What the stack serves was asked on the host itself; inbound tells who gets there."
        yield "Whether Sesam's portal knows this node, and whether back-ups exist, was not asked."
    if "license" in categories:
        yield "Whether Sesam's portal accepts the license was not asked."


def _rooms(rooms: Rooms | Unknown) -> Iterator[str]:
    absent = rooms.reason if isinstance(rooms, Unknown) else rooms.absent
    if absent:
        yield f"Nothing was dialled from a container, only from the host itself: {absent}."
    else:
        yield "Containers of the audit's own dialled for the stack's, which may be set otherwise."


def _wildcards(profile: Profile) -> Iterator[str]:
    dialled = destinations(profile)
    for rule in RULES.values():
        wild = [each for each in rule.destinations if each.startswith("*.")]
        names = [each.name for each in dialled if each.rule == rule.name]
        if wild and names:
            yield (
                f"{rule.name}: a wildcard cannot be proved;"
                f" {', '.join(names)} stood in for {', '.join(wild)}."
            )
