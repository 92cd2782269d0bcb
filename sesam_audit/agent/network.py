"""A Docker network: made once, by the Engine, and taken back only while nothing refers to it."""

from typing import Any, Dict, List, Optional

from .action import Action, Facts, Note, Stop, UndoResult
from .engine import SOCKET, Engine, Refused

LABEL = "sesam-audit"


class Network(Action):
    """`after`: name, and the subnet or null to let Docker choose one."""

    kind = "network"

    def look(self) -> Facts:
        return {"networks": [_facts(each) for each in self._all()]}

    def _all(self) -> List[Dict[str, Any]]:
        """All networks of exactly this name; the Engine's filter takes parts of names too."""
        name = self.want["name"]
        listed = self._engine().get("/networks", filters={"name": [name]})
        return sorted((e for e in listed if e["Name"] == name), key=lambda e: str(e["Id"]))

    def _engine(self) -> Engine:
        return Engine(self.host.real(SOCKET))

    def holds(self, now: Facts) -> bool:
        return len(now["networks"]) == 1 and not _faults(now["networks"][0])

    def do(self, was: Facts, note: Note) -> None:
        if was["networks"]:
            raise Stop(*self._unfit(was["networks"]))
        body = {
            "Name": self.want["name"],
            "CheckDuplicate": True,
            "Driver": "bridge",
            "Labels": {LABEL: self.host.name},
        }  # type: Dict[str, Any]
        if self.want.get("subnet"):
            body["IPAM"] = {"Driver": "default", "Config": [{"Subnet": self.want["subnet"]}]}
        try:
            made = self._engine().post("/networks/create", body)["Id"]
        except Refused as refused:
            raise Stop(
                "Docker did not make the network %s: %s" % (self.want["name"], refused.said),
                "docker network ls",
            ) from refused
        self._alone(made)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        ours = self._ours()
        if ours and not was["networks"]:
            self._alone(ours[0])
        else:
            super().resume(was, notes, note)

    def _alone(self, made: str) -> None:
        """Keep the network only when nobody made another of its name meanwhile."""
        found = [_facts(each) for each in self._all()]
        if len(found) > 1:
            for each in self._ours() or [made]:
                self._engine().delete("/networks/%s" % each)
            raise Stop(
                "somebody else made a network %s meanwhile; ours was removed" % self.want["name"],
                "Run the same command again.",
                "changed",
            )

    def _ours(self) -> List[str]:
        return [e["Id"] for e in self._all() if (e["Labels"] or {}).get(LABEL) == self.host.name]

    def _unfit(self, found: List[Facts]) -> List[str]:
        name = self.want["name"]
        if len(found) > 1:
            words = "there are %d networks called %s; compose cannot tell them apart"
            ids = ", ".join(each["id"][:12] for each in found)
            step = "Remove all but one, by id: docker network rm ID (they are %s)" % ids
            return [words % (len(found), name), step]
        faults = " and ".join(_faults(found[0]))
        step = "Remove it when nothing uses it: docker network rm %s" % found[0]["id"][:12]
        return ["the network %s %s" % (name, faults), step]

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        ours = self._ours()
        if begun["before"]["networks"] or not ours:
            return "undone", ""
        for identity in ours:
            users = self._users(identity)
            if users:
                return "left", "containers refer to it: %s" % ", ".join(users)
            try:
                self._engine().delete("/networks/%s" % identity)
            except Refused as refused:
                return "left", refused.said
        return "undone", ""

    def _users(self, identity: str) -> List[str]:
        """The containers, stopped ones too, that could not start without this network."""
        names = {identity, self.want["name"]}
        users = []
        for each in self._engine().containers():
            networks = (each.get("NetworkSettings") or {}).get("Networks") or {}
            known = {each.get("HostConfig", {}).get("NetworkMode")} | set(networks)
            known |= {settings.get("NetworkID") for settings in networks.values()}
            if names & known:
                users.append(each["Name"].lstrip("/"))
        return users


def _facts(network: Dict[str, Any]) -> Facts:
    pools = (network.get("IPAM") or {}).get("Config") or []
    return {
        "id": network["Id"],
        "driver": network["Driver"],
        "scope": network["Scope"],
        "internal": bool(network.get("Internal")),
        "config_only": bool(network.get("ConfigOnly")),
        "subnets": sorted(pool.get("Subnet", "") for pool in pools),
        "made_by": (network.get("Labels") or {}).get(LABEL),
    }


def _faults(network: Facts) -> List[str]:
    faults = []
    if network["driver"] != "bridge":
        faults.append("has the driver %s, bridge is needed" % network["driver"])
    if network["scope"] != "local":
        faults.append("belongs to a swarm")
    if network["internal"]:
        faults.append("is internal: nothing on it reaches the internet")
    if network["config_only"]:
        faults.append("is a mere configuration")
    return faults
