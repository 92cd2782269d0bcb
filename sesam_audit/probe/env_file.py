"""A .env as compose reads it: the asked values, and the names alone of all others."""

import re

from .reading import raw, read

ASSIGNMENT = re.compile(
    r"""(?as)[ \t]*(?:export[ \t]+)?([\w.\[\]-]+)[ \t]*[=:][ \t]*"""
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\n]*)[^\n]*"""
)


def env_file(ask):
    """A .env as compose reads it: quotes over lines, comments after a blank, the last one wins."""
    data, cut = read(raw(ask["path"]), 1 << 18)
    if cut:
        return {"error": "TOOBIG"}
    text = str(data, "utf-8-sig", "backslashreplace").replace("\r\n", "\n")
    values, others, at = {}, set(), 0
    while at < len(text):
        found = ASSIGNMENT.match(text, at)
        if found and found.group(1) in ask["keys"]:
            values[found.group(1)] = env_value(found.group(2))
        elif found:
            others.add(found.group(1))
        at = (text.find("\n", found.end() if found else at) + 1) or len(text)
    return {
        "values": {key: value for key, (value, _) in values.items()},
        "names": sorted(others),
        "doubtful": sorted(key for key, (_, doubt) in values.items() if doubt),
    }


def env_value(text):
    quote = text[:1]
    if quote not in ("'", '"'):
        value = text.split(" #")[0].rstrip()
        return value, "$" in value
    if len(text) < 2 or text[-1] != quote:
        return "", True  # an open quote: what follows may be another's secret
    value = text[1:-1]
    return value, "\n" in value or quote == '"' and bool(re.search(r"[$\\]", value))
