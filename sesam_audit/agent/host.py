"""What an action may use of the machine: paths, accounts, secrets, children, its run's files."""

import grp
import os
import pwd
from typing import Any, Callable, Dict, Optional, Sequence, Union

from . import children
from .paths import Paths
from .state import Run, State
from .stop import Stop

Say = Callable[..., None]


class Host:
    """One attempt's view of the machine."""

    def __init__(
        self,
        state: State,
        run: Optional[Run] = None,
        secrets: Optional[Dict[str, str]] = None,
        say: Optional[Say] = None,
        rebooted: bool = False,
    ) -> None:
        self.state = state
        self.paths = Paths(state.root)
        self.run = run  # None while a plan is only looked at
        self.rebooted = rebooted  # since the plan was made
        self.secrets = secrets or {}
        self._say = say

    @property
    def name(self) -> str:
        """The run's name, as it stands in the names of kept files."""
        if self.run is None:
            raise Stop("nothing is changed while a plan is only looked at")
        return self.run.name

    def say(self, event: str, **more: Any) -> None:
        """Tell whoever follows; what is told stays in the event log, without secrets."""
        if self._say:
            self._say(event, **more)

    def secret(self, name: str) -> str:
        """A secret that came with the plan. It stays in memory."""
        if name not in self.secrets:
            raise Stop("the %s did not come with the plan" % name, "Run the same command again.")
        return self.secrets[name]

    def has_secret(self, name: str) -> bool:
        """Say whether a secret came with the plan."""
        return name in self.secrets

    def keyed(self, content: bytes) -> Optional[str]:
        """A hash of a secret under this machine's own key; None before there is a key."""
        return self.state.keyed(content)

    def sum_of(self, name: str) -> Optional[str]:
        """The keyed hash of a secret that the run was begun with; None when none was kept."""
        return self.run.sums().get(name) if self.run else None

    def uid(self, user: Union[int, str]) -> Optional[int]:
        """A user's number; None while there is no such user."""
        if isinstance(user, int):
            return user
        try:
            return pwd.getpwnam(user).pw_uid
        except KeyError:
            return None

    def gid(self, group: Union[int, str]) -> Optional[int]:
        """A group's number; None while there is no such group."""
        if isinstance(group, int):
            return group
        try:
            return grp.getgrnam(group).gr_gid
        except KeyError:
            return None

    def child(
        self, command: Sequence[str], data: bytes = b"", seconds: float = 60, **more: Any
    ) -> children.Done:
        """Run a program; it holds the lock as long as it lives. `more` as for children.run."""
        return children.run(command, data, seconds, lock=self.state.lock, **more)

    def keep(self, name: str, content: bytes) -> None:
        """Put a file of the run on the disk: whole or not at all, for root only."""
        if self.run is None:
            raise Stop("nothing is changed while a plan is only looked at")
        self.run.keep(name, content)

    def kept(self, name: str) -> Optional[bytes]:
        """A file of the run that was kept; None when there is none."""
        return self.run.kept(name) if self.run else None

    def real(self, path: str) -> str:
        """A path as other programs must be given it."""
        return path if self.state.root == "/" else os.path.join(self.state.root, path.lstrip("/"))
