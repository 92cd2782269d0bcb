"""The proxies of dockerd and of a shell, and where they are set."""

import contextlib
import json
import os
import re
import threading
from urllib.parse import unquote, urlsplit

from .docker_config import table
from .no_proxy import sparing
from .reading import expand, raw, read
from .urls import in_url

DAEMON_SETTINGS = (  # where administrators write its environment
    "/etc/systemd/system/docker.service.d/*.conf", "/etc/systemd/system/docker.service",
    "/run/systemd/system/docker.service.d/*.conf", "/etc/default/docker", "/etc/sysconfig/docker",
    "/etc/systemd/system.conf.d/*.conf", "/etc/systemd/system.conf", "/etc/environment",
)  # fmt: skip
DAEMON_JSON = "/etc/docker/daemon.json"
SHELL_SETTINGS = ("/etc/environment", "/etc/profile", "/etc/profile.d/*.sh")
SETTINGS = {}
READING = threading.Lock()  # guards SETTINGS


def by_settings(ask):
    """The ask with dockerd's or a shell's proxy and login, and what of that may be told."""
    with READING:
        if not SETTINGS:
            SETTINGS.update(daemon=daemon_settings(), shell=shell_settings())
    settings = SETTINGS[ask["context"]]
    (url, place), (spared, spared_by) = settings["https-proxy"], settings["no-proxy"]
    rule = sparing(spared, ask["name"], ask["port"])
    told = {"context": ask["context"], "proxy": "", "proxy_from": place}
    if not url or rule:
        if url:
            told["proxy_from"] = "%s (%s)" % (spared_by, rule)
        return dict(ask, proxy="", login=""), told
    try:
        parts = urlsplit(url if "//" in url else "http://" + url)
        port = parts.port or 80
        kind = parts.scheme if parts.hostname else "no URL"
    except ValueError:  # its words may quote a password
        kind = "no URL"
    if kind != "http":
        raise OSError("the proxy (%s) is %s, which is not tried" % (place, kind[:20]))
    login = unquote(parts.username or "") + ":" + unquote(parts.password or "")
    told["proxy"] = "%s:%d" % (in_url(parts.hostname), port)
    return dict(ask, proxy=told["proxy"], login=login if parts.username else ""), told


def daemon_settings():
    """dockerd's proxy and what it spares, each with where it is set; flags come first, as there."""
    flags, environment = running_daemon()
    try:
        stored = table(json.loads(text_of(raw(DAEMON_JSON)).lstrip("\ufeff")), "proxies")
    except (OSError, ValueError, RecursionError, AttributeError):
        stored = {}
    found = {}
    for name in ("https-proxy", "no-proxy"):
        key = name.replace("-", "_").upper()
        known = environment or {}
        own = known.get(key) or known.get(key.lower())
        files = assigned(key, DAEMON_SETTINGS)
        files = [each for each in files if environment is None or each[1] == own]
        path, value = files[0] if files else ("dockerd's environment", own)
        place = "%s of %s" % (key, path)
        for other, source in ((stored.get(name), DAEMON_JSON), (flags.get(name), "dockerd")):
            if other and isinstance(other, str):
                value, place = other, "%s of %s" % (name, source)
        if not value:
            value, place = "", "dockerd has no proxy"
            place += "" if environment is not None else ", as far as its files tell"
        found[name] = value, place
    return found


def shell_settings():
    """The proxy that programs of a login find, and what it spares; this program's own first."""
    found = {}
    for name in ("https-proxy", "no-proxy"):
        key = name.replace("-", "_").upper()
        files = [each for each in assigned(key, SHELL_SETTINGS) if "$" not in each[1]]
        path, value = files[0] if files else ("", "")
        own = os.environ.get(key) or os.environ.get(key.lower())
        if own:
            path, value = next((each for each in files if each[1] == own), ("the environment", own))
        found[name] = value, "%s of %s" % (key, path) if value else "no proxy in the environment"
    return found


def running_daemon():
    """The flags of the running dockerd, and its environment; None where that is not readable."""
    first = [b"/"]  # containers may hold a dockerd of their own
    with contextlib.suppress(OSError):
        first = [b"/proc/%s/comm" % read(b"/var/run/docker.pid", 64)[0].strip()]
    for path in first + expand(b"/proc/[0-9]*/comm", {}):
        with contextlib.suppress(OSError):
            if read(path, 64)[0].strip() == b"dockerd":
                break
    else:
        return {}, None
    try:
        given = text_of(path[:-4] + b"cmdline").split("\0")
        flags = dict(each.lstrip("-").partition("=")[::2] for each in given if each[:1] == "-")
        flags.update((a.lstrip("-"), b) for a, b in zip(given, given[1:]) if "=" not in a)
        pairs = text_of(path[:-4] + b"environ").split("\0")
    except OSError:
        return {}, None
    return flags, dict(each.partition("=")[::2] for each in pairs)


def text_of(path):
    return str(read(path, 1 << 20)[0], "utf-8", "replace")


def assigned(key, patterns):
    """Every assignment to an environment variable in settings: path and value."""
    form = r"(?im)^(?![ \t]*[#;]).*?\b%s=[\"']?([^\"'\s]+)" % key
    for pattern in patterns:
        for path in expand(raw(pattern), {}):
            with contextlib.suppress(OSError):
                for value in re.findall(form, text_of(path)):
                    place = str(path, "utf-8", "replace")
                    yield place, value.replace("%%", "%") if ".conf" in place else value
