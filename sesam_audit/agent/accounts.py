"""The group and the user sesam, made by the distribution's own tools in steps that can be redone.

`useradd` without home and without group of its own, and `pwconv` and `grpconv` for what a kill may
leave out: that holds on Debian's and Red Hat's shadow alike. An account that differs, or that comes
from a directory service, is never changed.
"""

import os
from typing import Any, Dict, List, Optional

from .action import Action, Facts, Note, Stop, UndoResult

_KEPT = ("passwd", "group")  # the shadows have backups of their own, and secrets
_STORES = ("/srv/data", "/sesam")
_LOOKED_AT = 200000  # entries


class _Account(Action):
    """What group and user share: their files, and the tools."""

    def _lines(self, name: str) -> Dict[str, List[str]]:
        """A file of accounts: the fields of each line by name."""
        path = os.path.join(self.host.state.root, "etc", name)
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as file:
                lines = [line.rstrip("\n").split(":") for line in file]
        except FileNotFoundError:
            return {}
        return {fields[0]: fields for fields in lines if len(fields) > 1}

    def _tool(self, *command: str) -> None:
        done = self.host.child(command, seconds=60)
        if done.code != 0:
            raise Stop("%s %s" % (command[0], done.words()))

    def _elsewhere(self, base: str, key: str, here: bool) -> bool:
        """Say whether a name or number is known, though not to the machine's own files."""
        if here:
            return False
        return self.host.child(["getent", base, key], seconds=15).code == 0

    def _keep_files(self) -> None:
        for name in _KEPT:
            path = os.path.join(self.host.state.root, "etc", name)
            if os.path.exists(path) and self.host.kept("etc-" + name) is None:
                with open(path, "rb") as file:
                    self.host.keep("etc-" + name, file.read())


class Group(_Account):
    """`after`: name, gid."""

    kind = "group"

    def look(self) -> Facts:
        name, groups = self.want["name"], self._lines("group")
        others = [each for each, line in groups.items() if line[2:3] == [str(self.want["gid"])]]
        found: Facts = {"type": "absent", "same_number": sorted(set(others) - {name})}
        if name in groups:
            members = [each for each in groups[name][3].split(",") if each]
            found.update(type="group", gid=int(groups[name][2]), members=members)
            shadows = self._lines("gshadow")  # there are systems without
            found["shadow"] = not shadows or shadows.get(name, ["", "x"])[1] != "x"
        elif self._elsewhere("group", name, here=False):
            found["type"] = "foreign"
        return found

    def holds(self, now: Facts) -> bool:
        return bool(now["type"] == "group" and now["gid"] == self.want["gid"] and now["shadow"])

    def do(self, was: Facts, note: Note) -> None:
        name, gid = self.want["name"], self.want["gid"]
        if was["type"] == "group" and was["gid"] == gid:
            self._tool("grpconv")
            self._tool("groupmod", "-p", "!", name)  # no password, as groupadd leaves it
            return
        if was["type"] == "foreign":
            raise Stop("group %s comes from a directory service" % name, "Make it there.")
        if was["type"] == "group":
            raise Stop("group %s has the number %d, not %d" % (name, was["gid"], gid))
        if was["same_number"] or self._elsewhere("group", str(gid), here=False):
            raise Stop("the number %d belongs to another group" % gid)
        self._keep_files()
        self._tool("groupadd", "-g", str(gid), name)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        now = self.look()
        if not self.holds(now):
            self.do(now, note)

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        now, name = self.look(), self.want["name"]
        if begun["before"]["type"] != "absent" or now["type"] == "absent":
            if now["type"] == "absent" and name in self._lines("gshadow"):
                self._tool("grpconv")  # groupdel was interrupted
            return "undone", ""
        if now["type"] != "group" or now["gid"] != self.want["gid"] or now["members"]:
            return "left", "it was changed since"
        users = [each for each, line in self._lines("passwd").items() if line[3] == str(now["gid"])]
        if users:
            return "left", "it is the group of %s" % ", ".join(users)
        self._tool("groupdel", name)
        return "undone", ""


class User(_Account):
    """`after`: name, uid, gid, home, shell. The home itself is a directory's action."""

    kind = "user"

    def look(self) -> Facts:
        name, users = self.want["name"], self._lines("passwd")
        others = [each for each, line in users.items() if line[2:3] == [str(self.want["uid"])]]
        found: Facts = {"type": "absent", "same_number": sorted(set(others) - {name})}
        if name in users:
            line = users[name]
            found.update(
                type="user", uid=int(line[2]), gid=int(line[3]), home=line[5], shell=line[6],
                shadow=self._lines("shadow").get(name, ["", "x"])[1] != "x",
            )  # fmt: skip
        elif self._elsewhere("passwd", name, here=False):
            found["type"] = "foreign"
        return found

    def _wanted(self) -> Dict[str, Any]:
        wanted = {"uid": self.want["uid"], "gid": self.host.gid(self.want["gid"])}
        return dict(wanted, home=self.want["home"])

    def holds(self, now: Facts) -> bool:
        wanted = self._wanted()
        alike = now["type"] == "user" and {key: now[key] for key in wanted} == wanted
        return bool(alike and now["shadow"])

    def do(self, was: Facts, note: Note) -> None:
        name, uid, wanted = self.want["name"], self.want["uid"], self._wanted()
        if was["type"] == "user" and {key: was[key] for key in wanted} == wanted:
            self._tool("pwconv")
            self._tool("usermod", "-p", "!", name)  # no password, as useradd leaves it
            return
        if was["type"] == "foreign":
            raise Stop("user %s comes from a directory service" % name, "Make it there.")
        if was["type"] == "user":
            raise Stop(
                "user %s is there with uid %d, gid %d and home %s, and is not changed"
                % (name, was["uid"], was["gid"], was["home"])
            )
        if was["same_number"] or self._elsewhere("passwd", str(uid), here=False):
            raise Stop("the number %d belongs to another user" % uid)
        if processes(uid):
            raise Stop("processes run with the number %d: %s" % (uid, processes(uid)[:5]))
        if wanted["gid"] is None:
            raise Stop("there is no group %s" % self.want["gid"])
        self._keep_files()
        note(mail=[path for path in self._mail() if os.path.lexists(path)])
        self._tool(
            "useradd", "-M", "-N", "-u", str(uid), "-g", str(wanted["gid"]),
            "-d", self.want["home"], "-s", self.want["shell"], name,
        )  # fmt: skip

    def _mail(self) -> List[str]:
        return [os.path.join(each, self.want["name"]) for each in ("/var/mail", "/var/spool/mail")]

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        now = self.look()
        if not self.holds(now):
            self.do(now, note)

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        now, name, uid = self.look(), self.want["name"], self.want["uid"]
        if begun["before"]["type"] == "absent" and now["type"] != "absent":
            wanted = self._wanted()
            if now["type"] != "user" or {key: now[key] for key in wanted} != wanted:
                return "left", "it was changed since"
            if processes(uid):
                return "left", "it has processes: %s" % processes(uid)[:5]
            kept = [path for path in (self.want["home"],) + _STORES if self._owns(path)]
            if kept:
                return "left", "it owns files: %s" % ", ".join(kept)
            lines = self._lines("group").items()
            groups = {each: line[2] for each, line in lines if line[2] == str(now["gid"])}
            note(groups=groups)
            begun["notes"]["groups"] = groups
            self._tool("userdel", name)
        if begun["before"]["type"] == "absent" and name in self._lines("shadow"):
            self._tool("pwconv")  # userdel was interrupted
        self._put_group_back(begun["notes"])
        for path in self._mail():
            if path not in begun["notes"].get("mail", ()) and _empty(path):
                os.unlink(path)
        return "undone", ""

    def _put_group_back(self, notes: Facts) -> None:
        """`userdel` takes a group of the user's name along, whoever made it."""
        group = self._lines("group")
        for name, gid in notes.get("groups", {}).items():
            if name not in group:
                self._tool("groupadd", "-g", gid, name)

    def _owns(self, path: str) -> bool:
        """Say whether something at or below a path is the user's."""
        seen = 0
        for directory, names, files in os.walk(self.host.real(path)):
            for inside in [directory] + [os.path.join(directory, each) for each in names + files]:
                seen += 1
                try:
                    if os.lstat(inside).st_uid == self.want["uid"] or seen > _LOOKED_AT:
                        return True
                except FileNotFoundError:
                    continue
        return False


def processes(uid: int) -> List[int]:
    """The processes of a user, by number."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat("/proc/" + name).st_uid == uid:
                    found.append(int(name))
            except FileNotFoundError:
                continue
    return found


def _empty(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) == 0
