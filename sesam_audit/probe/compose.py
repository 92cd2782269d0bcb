"""The stack as compose renders it, without its secrets, and compose's version."""

import contextlib
import json
import os
import re

from .executables import PATH, home, programs, runs, which
from .programs import run, spawn
from .reading import raw, read
from .reducing import ASSIGNED, reduced


def compose_plugin():
    """The plugin that `docker compose` would start: called by itself it answers twice as fast."""
    places = [home() + "/.docker"] + [
        place + "/docker"
        for place in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
    ]
    found = [place + "/cli-plugins/docker-compose" for place in places]
    first = next(filter(os.path.lexists, found), None)
    return first if first and os.access(first, os.X_OK) else None


def plain_docker():
    """Whether `docker` is Docker's own program, which looks for plugins where we do.

    It is not podman's script, a snap, or told of other places.
    """
    program = os.path.realpath(next(filter(runs, programs("docker")), ""))
    settings = raw(home() + "/.docker/config.json")
    with contextlib.suppress(OSError):
        elsewhere = os.path.exists(settings) and read(settings, 1 << 20)[0].lower()
        own = os.path.basename(program) == "docker" and read(raw(program), 4)[0] == b"\x7fELF"
        return own and b"pluginsextradirs" not in (elsewhere or b"")
    return False


def compose_version(ask):
    """The plugin's own word, asked as Docker asks for it: a third of what the command takes."""
    plugin = compose_plugin() if plain_docker() else None
    if plugin:
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            done = spawn([plugin, "docker-cli-plugin-metadata"], ask["end"], 65536)
            told = json.loads(str(done["out"], "utf-8"))
            if done["code"] == 0 and told["SchemaVersion"] == "0.1.0" and told["Vendor"]:
                return {"code": 0, "out": str(told["Version"]) + "\n"}
    command = ["docker", "compose", "version", "--short"]
    return run(dict(ask, argv=command, user="", limit=65536))


def compose(ask):
    directory = raw(ask["directory"])
    os.stat(directory)
    if not which("docker"):
        return {"error": "ENOENT", "message": "there is no docker"}
    plugin = compose_plugin()
    argv = ([plugin] if plugin else ["docker", "compose"]) + ["config", "--format", "json"]
    done = spawn(argv, ask["end"], 4 << 20, {"PATH": PATH, "HOME": home()}, directory)
    said = str(done["err"], "utf-8", "replace")
    found = re.findall(r'level=warning msg="((?:[^"\\]|\\.)*)"|WARN\[\d+\] (.*)', said)
    warnings = [re.sub(r"\\(.)", r"\1", one or two)[:500] for one, two in found[:50]]
    answer = {"code": done["code"], "warnings": [ASSIGNED.sub(r"\1...", each) for each in warnings]}
    if done["error"] or done["cut"]:
        return dict(answer, error=done["error"] or "TOOBIG")
    if done["code"] == 0:
        document = json.loads(str(done["out"], "utf-8"))
        return dict(answer, document=reduced(document, ask["keys"]))
    if not plugin and re.search(
        r"docker --help|unknown (shorthand )?flag|not a docker command", said
    ):
        return dict(answer, message="docker: 'compose' is not a docker command")
    # Parse errors quote the line at fault, which may hold a secret: only names stay.
    quoted = r'(service |network |volume )?"(?:[^"\\]|\\.)*"'
    said = re.sub(quoted, lambda found: found.group(0) if found.group(1) else '"..."', said)
    said = re.sub(r"(unterminated quoted value) .*", r"\1 ...", said)
    return dict(answer, message=ASSIGNED.sub(r"\1...", said)[-2000:])
