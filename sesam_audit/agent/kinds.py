"""Every kind of action that a plan may name; there are no others."""

from typing import Dict, Type

from .action import Action, Spec
from .directory import Directory
from .host import Host
from .stop import Stop

KINDS: Dict[str, Type[Action]] = {each.kind: each for each in (Directory,)}


def made(spec: Spec, host: Host) -> Action:
    """The action that a plan's words stand for."""
    kind = KINDS.get(spec["kind"])
    if kind is None:
        raise Stop("this program knows no action of kind %r" % spec["kind"])
    return kind(spec, host)
