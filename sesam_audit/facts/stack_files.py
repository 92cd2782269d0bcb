"""Which of the files in /srv/data compose picks, by its own order, and what lies beside it."""

from __future__ import annotations

from shlex import quote

from msgspec import Struct

from sesam_audit.asks import Names, Steps, denied
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.facts.inspection import Inspection, listed
from sesam_audit.facts.stack import Rendering, Stack
from sesam_audit.facts.stack_roles import deviations, shortcomings
from sesam_audit.profile import Profile
from sesam_audit.wanted import COMPOSE_FILE, POINT

FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    *("compose.override.yml", "compose.override.yaml"),
    *("docker-compose.override.yml", "docker-compose.override.yaml"),
)
"""Both in the order in which compose looks (compose-go, cli/options.go)."""

GUIDE_NAME = COMPOSE_FILE.rpartition("/")[2]


class StackFiles(Struct, frozen=True):
    """The compose files of /srv/data and what they render to."""

    names: tuple[str, ...] | Unknown
    rendering: Rendering | Unknown

    @classmethod
    def ask(cls, profile: Profile) -> Steps[StackFiles]:
        """List and render in one go."""
        names, rendering = yield from gather(
            attempt(_names(POINT)), attempt(Rendering.ask(profile))
        )
        return cls(names, rendering)

    def inspect(self) -> Inspection:
        """The file that compose picks has to render, completely, to Sesam's stack."""
        found = Inspection()
        if isinstance(self.names, Unknown):
            found.doubt(self.names)
        elif not set(FILES).intersection(self.names):
            found.problem(f"there is no {GUIDE_NAME} in {POINT}")
            return found
        else:
            _judge_names(found, self.names)
        rendering = self.rendering
        if isinstance(rendering, Unknown):
            found.doubt(rendering)
        elif rendering.stack is None:
            found.problem(f"docker compose refuses it: {rendering.message}")
        else:
            _judge_stack(found, rendering.stack)
        return found


def _names(directory: str) -> Steps[tuple[str, ...]]:
    answer = yield from Names(directory)
    if answer.missing:
        return ()
    if answer.error:
        raise denied(answer, directory, f"sudo ls -l {quote(directory)}")
    return answer.names


def _judge_names(found: Inspection, names: tuple[str, ...]) -> None:
    present = [name for name in FILES if name in names]
    if present != [GUIDE_NAME]:
        beside = f", beside it lies {', '.join(present[1:])}" if present[1:] else ""
        found.note(f"compose picks {present[0]}{beside}; the guide names {GUIDE_NAME}")
    overrides = [name for name in OVERRIDES if name in names]
    if overrides:
        found.note(f"compose silently adds {overrides[0]}")


def _judge_stack(found: Inspection, stack: Stack) -> None:
    unset = [text for text in stack.warnings if "variable is not set" in text]
    if unset:
        found.problem(listed(dict.fromkeys(unset), 3))
    for text in shortcomings(stack):
        found.problem(text)
    for text in (*deviations(stack), *(w for w in stack.warnings if w not in unset)):
        found.note(text)
