"""Actions as a planner would write them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sesam_audit.plan import Action

UID = 1001


def directory(path: str, number: int = 1, **more: object) -> Action:
    after = {"path": path, "uid": UID, "gid": UID, "mode": "0750", **more}
    return Action(id=f"{number:02}-directory", kind="directory", title=f"Make {path}", after=after)


def file(path: str, content: str, number: int = 1, **more: object) -> Action:
    after = {"path": path, "uid": UID, "gid": UID, "mode": "0640", "content": content}
    after["sha256"] = hashlib.sha256(content.encode()).hexdigest()
    after.update(more)
    return Action(id=f"{number:02}-file", kind="file", title=f"Write {path}", after=after)


def license_file(path: str, number: int = 1, **more: object) -> Action:
    after = {"path": path, "uid": UID, "gid": UID, "mode": "0600", "content": None, "sha256": None}
    after.update(more)
    return Action(
        id=f"{number:02}-license", kind="file", title="Install it", after=after, secret="license"
    )


def environment(path: str, number: int = 1, *, names: Sequence[str] = ()) -> Action:
    values = {"NODE_DOMAIN": "node.example.org", "APPLIANCE_ID": "of-the-test"}
    after = {"path": path, "uid": UID, "gid": UID, "mode": "0600", "values": values}
    return Action(
        id=f"{number:02}-environment",
        kind="environment",
        title=f"Write {path}",
        after={**after, "names": list(names)},
        secret="environment" if names else None,
    )


def login(path: str, number: int = 1) -> Action:
    after = {"path": path, "uid": UID, "gid": UID, "registry": "hub.example.org", "user": "me"}
    return Action(
        id=f"{number:02}-login", kind="login", title="Log in", after=after, secret="registry"
    )


def moved_store(source: str, target: str, way: str, number: int = 1) -> Action:
    after = {"source": source, "target": target, "way": way}
    return Action(id=f"{number:02}-move-store", kind="move-store", title="Move it", after=after)


def link(path: str, text: str, number: int = 1, **more: object) -> Action:
    after = {"path": path, "text": text, "empty_directory": "refuse", **more}
    return Action(id=f"{number:02}-link", kind="link", title=f"Link {path}", after=after)


def stray_link(path: str, number: int = 1) -> Action:
    return Action(
        id=f"{number:02}-stray", kind="stray-link", title="Remove it", after={"path": path}
    )


def ownership(*roots: str, number: int = 1, **more: object) -> Action:
    after = {"roots": list(roots), "uid": UID, "gid": UID, "passed_over": [], "limit": 1000, **more}
    return Action(id=f"{number:02}-ownership", kind="ownership", title="Own it", after=after)
