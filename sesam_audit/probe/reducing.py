"""A stack, a container or a line without what may be secret in it."""

import re

WORD = r"(?:pass(?:w|phrase|_|\b)|secret|token|api[-_]?key|basicauth|digestauth)[\w.-]*"
SECRETIVE = re.compile("(?i)" + WORD)
ASSIGNED = re.compile(
    r"""(?i)(--?[\w.-]*%s\s+|%s["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;]+)""" % (WORD, WORD)
)


def reduced(value, keys, place=""):
    """A stack or container as data: environments keep the asked keys, secrets become `...`."""
    environment = place.lower() in ("environment", "env")
    if isinstance(value, dict) and (environment or place == "args"):
        return {key: each if wanted(key, keys) else None for key, each in value.items()}
    if isinstance(value, dict):
        return {
            key: "..." if isinstance(each, str) and secretly(key) else reduced(each, keys, key)
            for key, each in value.items()
            if not key.startswith("x-")
        }
    if isinstance(value, list) and environment:
        pairs = [(str(each).partition("=")[0], each) for each in value]
        return [each if wanted(key, keys) else key for key, each in pairs]
    if isinstance(value, list):
        flags = [re.match("--?[^=]*$", str(each)) and secretly(str(each)) for each in value]
        return ["..." if flag else reduced(each, keys) for flag, each in zip([0] + flags, value)]
    return ASSIGNED.sub(r"\1...", value) if isinstance(value, str) else value


def wanted(key, keys):
    ours = key.startswith("WATCHTOWER_") and not re.search("PASS|TOKEN|SECRET|URL|HOOK", key)
    return ours or key in keys


def secretly(key):
    return key == "content" or SECRETIVE.search(key)
