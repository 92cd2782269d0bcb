"""Which hosts a no-proxy list spares."""

import contextlib
import ipaddress


def sparing(rules, name, port):
    """The word of a no-proxy list that spares a host, as Go reads it; "" when none does."""
    name = name.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if name == "localhost" or address is not None and address.is_loopback:
        return name
    for word in (each.strip().lower() for each in rules.split(",")):
        rule, _, only = word.rpartition(":")
        if not rule or not only.isdigit() or ":" in rule and "]" not in rule:
            rule, only = word, ""
        if not rule or only and int(only) != port:
            continue
        if rule == "*":
            return word
        if address is not None:
            with contextlib.suppress(ValueError):
                if address in ipaddress.ip_network(rule.strip("[]"), strict=False):
                    return word
            continue
        tail = rule[1:] if rule.startswith("*.") else rule
        if name.endswith(tail if tail.startswith(".") else "." + tail) or name == tail:
            return word
    return ""
