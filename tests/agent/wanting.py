"""Actions as a planner would write them."""

from __future__ import annotations

import hashlib

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
