"""From profile and facts to what apply will do: its actions in order, and what stops it. Pure."""

from __future__ import annotations

from sesam_audit import files_plan as files
from sesam_audit import layout_plan as layout
from sesam_audit import migration_plan as moving
from sesam_audit import start_plan as starting
from sesam_audit.errors import Unknown
from sesam_audit.facts.account import SesamUser
from sesam_audit.facts.compose_plugin import ComposePlugin
from sesam_audit.facts.containers import Containers
from sesam_audit.facts.data_directory import DataDirectory
from sesam_audit.facts.data_link import StrayLink
from sesam_audit.facts.data_mount import DataMount
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.docker_login import DockerLogin
from sesam_audit.facts.engine import Engine
from sesam_audit.facts.ground import Bound, Caller, Ground, Number, Strangers
from sesam_audit.facts.image_store import ImageStore
from sesam_audit.facts.license import License
from sesam_audit.facts.neighbours import Neighbours
from sesam_audit.facts.networks import Networks
from sesam_audit.facts.old_installation import OldInstallation
from sesam_audit.facts.os_release import OsRelease
from sesam_audit.facts.port_owners import PortOwners
from sesam_audit.facts.revivers import Revivers
from sesam_audit.facts.stack import Stack
from sesam_audit.facts.stack_files import StackFiles
from sesam_audit.facts.subnets import Subnets
from sesam_audit.level import Outcome
from sesam_audit.model import Finding
from sesam_audit.prerequisites import prerequisites
from sesam_audit.site import Draft, Site, Stop

FACTS: tuple[type, ...] = (
    *(Caller, OsRelease, Engine, ComposePlugin, DataMount, SesamUser, Number, Ground),
    *(DataDirectory, Bound, StrayLink, License, Deployment, StackFiles, Stack, Strangers),
    *(Networks, Subnets, DockerLogin, Containers, OldInstallation, Neighbours, Revivers),
    *(ImageStore, PortOwners),
)
"""What planning asks of a host beside what the checks ask."""

PHASES = (
    layout.account,
    layout.folders,
    layout.data_link,
    moving.migration,
    files.license_key,
    files.certificates,
    files.stack_files,
    files.environment,
    layout.ownership,
    layout.networks,
    starting.login,
    starting.start,
)
"""In the order in which things are done: each can be repeated, none undoes an earlier one."""


def draft(site: Site) -> Draft:
    """Go through the phases; one that cannot tell becomes a stop with its reason."""
    made = Draft()
    for phase in (prerequisites, *PHASES):
        try:
            for each in phase(site, made):
                made.put(each)
        except Unknown as unknown:
            made.put(
                Stop(unknown.reason, f"See:\n\n    {unknown.command}" if unknown.command else "")
            )
        if phase is prerequisites and made.stops:
            break
    made.steps = moving.ordered(made.steps)
    return made


def unmended(findings: tuple[Finding, ...], made: Draft) -> tuple[Finding, ...]:
    """The failed musts that no action mends, and that apply never mends."""
    mended = {identifier for step in made.steps for identifier in step.mends}
    return tuple(
        item
        for item in findings
        if item.outcome is Outcome.FAILED
        and not (item.warning or item.waiver or item.apply_mends)
        and item.id not in mended
    )
