"""Every kind of action that a plan may name; there are no others."""

from typing import Dict, Type

from .accounts import Group, User
from .action import Action, Spec
from .directory import Directory
from .environment import Environment
from .file import File
from .host import Host
from .keeping import KeepContainer
from .link import Link, StrayLink
from .login import Login
from .network import Network
from .ownership import Ownership
from .pull import Pull
from .stop import Stop
from .store import MoveStore
from .up import Recreate, Restart, Up
from .waiting import Wait

ALL = (
    *(Group, User, Directory, Link, StrayLink, File, Environment, Ownership),
    *(Network, Login, Pull, KeepContainer, MoveStore, Up, Recreate, Restart, Wait),
)
KINDS: Dict[str, Type[Action]] = {each.kind: each for each in ALL}


def made(spec: Spec, host: Host) -> Action:
    """The action that a plan's words stand for."""
    kind = KINDS.get(spec["kind"])
    if kind is None:
        raise Stop("this program knows no action of kind %r" % spec["kind"])
    return kind(spec, host)
