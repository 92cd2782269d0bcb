"""What leaves this machine is text, and holds no login of a URL."""

import re

# The second form is for passwords with a raw slash; it leaves http://host:80/path@x alone.
USERINFO = re.compile(
    r"""://(?:[^\s"'<>/?#]*@|[^\s"'<>/?#:@\[]*:(?!\d*(?:[/?#,\s"']|$))[^\s"'<>]*@)"""
)


def clean(value):
    """What leaves this machine goes through here: text without surrogates, URLs without logins."""
    if isinstance(value, bytes):
        return USERINFO.sub("://", str(value, "utf-8", "backslashreplace"))
    if isinstance(value, str):
        return clean(value.encode("utf-8", "backslashreplace"))
    if isinstance(value, dict):
        return {clean(key): clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(each) for each in value]
    return value
