"""The `sesam` user, and who really has the number that USER_ID names."""

from __future__ import annotations

from msgspec import Struct

from sesam_audit.asks import Account, Steps, denied
from sesam_audit.facts.deployment import Deployment
from sesam_audit.profile import Profile
from sesam_audit.wanted import OWNER


class SesamUser(Struct, frozen=True):
    """The account everything belongs to; `own_group` is the number of the group called sesam."""

    exists: bool
    uid: int = -1
    gid: int = -1
    own_group: int | None = None
    home: str = ""
    group: str = ""

    @property
    def group_id(self) -> int:
        """The number that files of `sesam:sesam` bear."""
        return self.gid if self.own_group is None else self.own_group

    @classmethod
    def ask(cls, profile: Profile) -> Steps[SesamUser]:
        """Look the account up."""
        answer = yield from Account(OWNER)
        if answer.missing:
            return cls(False, own_group=answer.own_group)
        if answer.error:
            raise denied(answer, "the account sesam", "getent passwd sesam")
        return cls(
            exists=True,
            uid=answer.uid,
            gid=answer.gid,
            own_group=answer.own_group,
            home=answer.home,
            group=answer.group,
        )


class UserIdOwner(Struct, frozen=True):
    """The name of the account whose number is USER_ID; "" when nobody has it or none is set."""

    name: str

    @classmethod
    def ask(cls, profile: Profile) -> Steps[UserIdOwner]:
        """Look up the number that the stack will run as."""
        deployment = yield from Deployment.ask(profile)
        number = deployment.values.get("USER_ID", "")
        if not (number.isascii() and number.isdigit()):
            return cls("")
        answer = yield from Account(number)
        return cls("" if answer.error else answer.name)
