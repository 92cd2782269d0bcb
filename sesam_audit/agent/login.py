"""The registry login of the stack's own user: one entry, merged into the file that is there."""

import base64
import json
import os
from typing import Any, Dict, Optional

from .action import Facts, Note, Stop, UndoResult
from .compose import engine
from .engine import Refused
from .file import File
from .paths import READING
from .pull import REGISTRY
from .swap import Swap

_LARGEST = 1 << 20


class Login(File):
    """`after`: path, uid, gid, registry, user; the password comes with the plan.

    `docker login` would drop unknown keys, follow a credential helper and leave an entry that the
    updater in its container cannot use; the Engine's own test writes nothing.
    """

    kind = "login"

    def __init__(self, spec: Dict[str, Any], host: Any) -> None:
        super().__init__(dict(spec, after=dict({"mode": "0600"}, **spec["after"])), host)

    def content(self) -> Optional[bytes]:
        """What is there, with our entry."""
        if not self.host.has_secret("registry"):
            return None
        document = self._document()
        auths = document.setdefault("auths", {})
        auths[self._server()] = dict(auths.get(self._server()) or {}, auth=self._entry())
        return _text(document)

    def equal(self, found: bytes) -> bool:
        """Say whether the login is in a file, inline; without a password the user's name counts."""
        try:
            entry = json.loads(found.decode("utf-8-sig"))["auths"][self._server()]["auth"]
            user = base64.b64decode(entry).decode().partition(":")[0]
        except (ValueError, LookupError, TypeError):
            return False
        if self.host.has_secret("registry"):
            return bool(entry == self._entry())
        return bool(user == self.want["user"])

    def same(self, was: Facts, now: Facts) -> bool:
        """The plan may have been looked at before the password was given."""
        drop = ("wanted", "sum")
        was, now = ({k: v for k, v in each.items() if k not in drop} for each in (was, now))
        return super().same(was, now)

    def _server(self) -> str:
        return str(self.want.get("registry") or REGISTRY)

    def _entry(self) -> str:
        login = "%s:%s" % (self.want["user"], self.host.secret("registry"))
        return base64.b64encode(login.encode()).decode()

    def _document(self) -> Dict[str, Any]:
        """The file as JSON; an empty object where there is none."""
        if self.host.paths.facts(self.want["path"])["type"] != "file":
            return {}
        with self.host.paths.place(self.want["path"]) as place, place.opened(READING) as file:
            return _parsed(os.read(file, _LARGEST), self.want["path"])

    def do(self, was: Facts, note: Note) -> None:
        if was["type"] == "directory":
            raise Stop(
                "%s is a directory: Docker made it, because the file was missing"
                % self.want["path"],
                "Remove it while it is empty: sudo rmdir %s" % self.want["path"],
            )
        self._check_helpers(self._document())
        self._test()
        super().do(was, note)

    def _check_helpers(self, document: Dict[str, Any]) -> None:
        helpers = document.get("credHelpers")
        helper = helpers.get(self._server()) if isinstance(helpers, dict) else None
        if helper or document.get("credsStore"):
            raise Stop(
                "%s hands logins to the helper %s, which the stack's updater cannot call"
                % (self.want["path"], helper or document["credsStore"]),
                "Take credsStore and credHelpers out of it.",
            )

    def _test(self) -> None:
        """Let the daemon try the login, on its own way to the registry; nothing is written."""
        body = {
            "username": self.want["user"],
            "password": self.host.secret("registry"),
            "serveraddress": self._server(),
        }
        try:
            engine(self.host).post("/auth", body)
        except Refused as refused:
            raise Stop(
                "the registry does not take the login of %s: %s"
                % (self.want["user"], refused.said),
                "Run the same command again with the right password or token.",
            ) from refused

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        result = super().undo(begun, done, note)
        if result[0] != "left" or not done:
            return result
        return self._taken_out(begun["before"]) or result

    def _taken_out(self, before: Facts) -> Optional[UndoResult]:
        """Others wrote to the file since: take nothing out of it but our entry."""
        now = self.look()
        if now["type"] != "file":
            return None
        with self._placed() as swap, swap.place.opened(READING) as file:
            document = _parsed(os.read(file, _LARGEST), self.want["path"])
            entry = (document.get("auths") or {}).pop(self._server(), None)
            if entry is None:
                return None
            undoing = Swap(swap.place, swap.kept, self.host.name + "-undo")
            self._create(swap.place, undoing.temporary, file, _text(document), _unnoted)
            undoing.exchange(now)
            if before["type"] == "file":
                swap.drop(before, {})
        return "undone", "our entry alone: the rest was changed since"


def _parsed(content: bytes, path: str) -> Dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8-sig")) if content.strip() else {}
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("auths", {}), dict):
        raise Stop("%s is no JSON that Docker could read" % path, "Look at it, and move it away.")
    return document


def _text(document: Dict[str, Any]) -> bytes:
    return (json.dumps(document, indent="\t") + "\n").encode("utf-8")


def _unnoted(**_: Any) -> None:
    """What is created while taking back is no part of what was done."""
