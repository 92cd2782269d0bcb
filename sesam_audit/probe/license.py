"""A license's number, dates and faults; its holder and its signature stay here."""

import base64
import hashlib
import json
import re

from .reading import raw, read


def license_file(ask):
    data, cut = read(raw(ask["path"]), 1 << 18)
    if cut:
        return {"error": "TOOBIG"}
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = str(data, "utf-16" if wide else "utf-8", "replace")
    problems = ["bom"] * (wide or text[:1] == "\ufeff")
    text = text.strip("\ufeff \t\r\n\0")
    return dict(
        license_content(text, problems) if text else {},
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        blank=not text,
        problems=["crlf"] * (b"\r" in data) + problems,
        text=data if ask["whole"] else "",
    )


def license_content(text, problems):
    """What a license says of itself: its number and dates, never its holder or its signature."""
    if "\\n" in text:
        problems.append("literal-newlines")
    text = text.replace("\\r", "").replace("\\n", "\n").replace("\r", "\n")
    if re.search(r"(?i)<(!doctype|html|head|body)\b", text):
        problems.append("html")
        return {}
    begin = re.search(r"--+\s*BEGIN[^\n-]*SESAM[^\n-]*--+", text)
    finish = re.search(r"--+\s*END[^\n-]*SESAM[^\n-]*--+", text)
    problems += ["no-begin"] * (not begin) + ["no-end"] * (not finish)
    before, after = text[: begin.start() if begin else 0], text[finish.end() :] if finish else ""
    problems += ["outside"] * bool((before + after).strip())
    alone = not begin or re.match(r"[ \t]*(\n|$)", text[begin.end() :])
    alone = alone and (not finish or re.search(r"(^|\n)[ \t]*$", text[: finish.start()]))
    problems += ["one-line"] * (not alone)
    body = text[begin.end() if begin else 0 : finish.start() if finish else len(text)]
    outer, problem = decoded(re.sub(r"(?m)^--.*", "", body))
    if problem:
        problems.append(problem)
        return {}
    signed = any(re.search("(?i)sign|^sig$", key) and each for key, each in outer.items())
    if not outer.get("payload"):
        problems.append("no-payload")
        return {"signed": signed}
    payload, problem = decoded(str(outer["payload"]))
    if problem:
        problems.append("payload-" + problem.replace("truncated", "not-json"))
        return {"signed": signed}
    told = {"signed": signed}
    for key in ("_id", "expires", "created"):
        value = payload.get(key)
        told[key.strip("_")] = str(value)[:200] if value and isinstance(value, (str, int)) else None
    problems += ["no-id"] * (not told["id"])
    return told


def decoded(text):
    """A JSON object from base64, and the word for what is wrong with it."""
    text = re.sub(r"\s", "", text)
    if not re.match(r"[A-Za-z0-9+/]+={0,2}$", text):
        return None, "not-base64"
    text = text.rstrip("=")
    text = text[: len(text) - (len(text) % 4 == 1)]  # a last letter alone holds no byte
    data = base64.b64decode(text + "=" * (-len(text) % 4))
    try:
        found = json.loads(str(data, "utf-8"))
    except (ValueError, RecursionError):
        data = data.strip()
        return None, "truncated" if data[:1] == b"{" and data[-1:] != b"}" else "not-json"
    return (found, "") if isinstance(found, dict) else (None, "not-json")
