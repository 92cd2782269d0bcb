"""A plan: what an apply would do to one machine, bound to what was seen there."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from sesam_audit.agent.journal import plan_id

SCHEMA = "sesam-audit/plan/1"
Secret = Literal["license", "registry", "certificate-key", "environment"]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `before` is the agent's own look; `after` is what its kind wants."""

    id: str
    kind: str
    title: str
    reason: str = ""
    mends: tuple[str, ...] = ()
    before: dict[str, Any] | None = None
    after: dict[str, Any] = {}
    secret: Secret | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The steps in their order, for one machine in one boot."""

    schema: str = SCHEMA
    tool: str
    run: str
    machine: str
    boot: str
    profile: dict[str, Any] = {}
    wishes: dict[str, Any] = {}  # what the command line asked for; see site.Wishes.told
    actions: tuple[Action, ...] = ()

    def document(self) -> dict[str, Any]:
        """The plan as the agent gets it, with its id."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        return {**document, "id": plan_id(document)}
