"""A docker config: for which registries it holds a login; the logins stay here."""

import base64
import json
import re

from .reading import raw, read


def docker_config(ask):
    data, cut = read(raw(ask["path"]), 1 << 20)
    try:
        found = json.loads(str(data, "utf-8-sig"))
    except (ValueError, RecursionError):
        found = None
    if cut or not isinstance(found, dict):
        return {"json": False}
    auths, helpers = table(found, "auths"), table(found, "credHelpers")
    proxies = table(table(found, "proxies"), "default")
    return {
        "json": True,
        "registries": {
            name: {"auth": has_login(auths.get(name)), "helper": str(helpers.get(name, ""))}
            for name in list(dict.fromkeys([*auths, *helpers]))[:50]
        },
        "store": str(found.get("credsStore") or ""),
        "context": str(found.get("currentContext") or ""),
        "proxies": {
            key: re.sub(r"^(\w+://)?.*@", r"\1", str(proxies[key]))
            for key in ("httpProxy", "httpsProxy", "ftpProxy", "allProxy", "noProxy")
            if key in proxies
        },
    }


def table(found, key):
    return found[key] if isinstance(found.get(key), dict) else {}


def has_login(entry):
    return bool(login_of(entry))


def login_of(entry):
    """The user:password of a registry in a docker config; empty when there is none inline."""
    try:
        login = base64.b64decode(entry["auth"], validate=True)
    except (ValueError, TypeError, KeyError):
        return b""
    return login if b":" in login else b""
