"""The one line that starts the probe on a target, whatever its login shell and Python."""

from __future__ import annotations

import base64
import functools
import shlex
import zlib
from enum import Enum


class Privilege(str, Enum):
    """How root is sought. A password is read by the target's shell from the first line of stdin."""

    PLAIN = "plain"
    TRY = "try"
    MUST = "must"
    ASK = "ask"


NO_PYTHON = b"nopython"
BAD_SUDO = b"badsudo"
SHELL_FOLLOWS = b"#sh#\n"

_INTERPRETERS = " ".join(
    ["python3", "/usr/libexec/platform-python", *(f"python3.{minor}" for minor in range(15, 5, -1))]
)

# The version test comes before stdin is touched, so that the next interpreter can still have it;
# afterwards the code is 0 whatever happens, so that no other interpreter waits for more.
# -I and -S leave PYTHON* variables and site-packages of the target out, and start faster.
# The alarm is for a connection that dies unnoticed while the program is on its way.
PATIENCE = 900  # seconds, the lifetime of the probe that follows
_BOOT = (
    "import sys,os,zlib,binascii;sys.version_info<(3,6) and sys.exit(68);"
    f"from _signal import alarm;alarm({PATIENCE});"
    "sys.excepthook=lambda*a:(sys.__excepthook__(*a),os._exit(0));"
    "i=sys.stdin.buffer;h=i.readline().split();"
    "p=len(h)==2 and h[0].decode()==sys.argv[1] and i.read(int(h[1]));alarm(0);"
    "p=p and zlib.decompress(binascii.a2b_base64(p));"
    'p and exec(compile(p,"sesam-audit-probe","exec"),'
    '{"MARKER":sys.argv[1],"__name__":"probe"})'
)

# No single quote, exclamation mark or newline: it passes sh, bash, csh and fish as one word.
# `sudo -S` never shares stdin with the program: a wrong password would eat the program's lines.
# A sudo that logs input reads all of it, so `sudo -n true` gets none of ours.
# Its credential may belong to this very shell as parent, so sudo is never exec'ed.
# Where sudo keeps no credential (timestamp_timeout=0) the password goes first on the same pipe.
_SCRIPT = (
    'm=$1; s=$2; b=$3; r=$(id -u); if [ "$s" = ask ]; then IFS= read -r w; fi; '
    'if [ "$r" = 0 ]; then s=plain; fi; '
    'if [ "$s" = ask ]; then '
    'if printf "%s\\n" "$w" | sudo -S -p "" -v; then '
    "if sudo -n true </dev/null 2>/dev/null; then s=must; w=; else s=pipe; fi; "
    'else echo; echo "$m badsudo"; exit 0; fi; fi; '
    f'for p in "$4" {_INTERPRETERS}; do '
    'p=$(command -v "$p" 2>/dev/null) || continue; '
    'if [ "$s" = pipe ]; then '
    '"$p" -I -S -c "import sys;sys.exit(sys.version_info<(3,6))" </dev/null || continue; '
    '{ printf "%s\\n" "$w"; cat; } | sudo -k -S -p "" -- "$p" -I -S -c "$b" "$m"; exit 0; fi; '
    'if [ "$s" = plain ]; then :; else sudo -n -- "$p" -I -S -c "$b" "$m"; c=$?; '
    "if [ $c = 0 ]; then exit 0; fi; if [ $c = 68 ]; then continue; fi; "
    'if [ "$s" = must ]; then echo; echo "$m badsudo"; exit 0; fi; fi; '
    '"$p" -I -S -c "$b" "$m"; c=$?; '
    "case $c in 1|68|126|127) ;; *) exit 0;; esac; done; "
    'echo; echo "$m nopython"; '
    'while IFS= read -r l; do if [ "$l" = "#sh#" ]; then break; fi; done; '
    'if [ "$s" = pipe ]; then '
    '{ printf "%s\\n" "$w"; cat; } | sudo -k -S -p "" -- sh -s; exit 0; fi; '
    'if [ "$s" = plain ]; then exec sh -s; fi; '
    "if sudo -n true </dev/null 2>/dev/null; then sudo -n -- sh -s; exit 0; fi; "
    'if [ "$s" = must ]; then echo; echo "$m badsudo"; exit 0; fi; exec sh -s'
)


def command(marker: str, privilege: Privilege, interpreter: str = "") -> str:
    """The command line for the target's login shell; a known interpreter is tried first."""
    words = ("/bin/sh", "-c", _SCRIPT, "sesam-audit", marker, privilege.value, _BOOT, interpreter)
    return " ".join(shlex.quote(word) for word in words)


def program(marker: str, text: bytes, password: str | None) -> bytes:
    """What goes first into stdin: the password's line if there is one, then the program.

    It is packed, as the probe's answers are: at 20 ms of round trip that saves 0.1 s. It is text,
    because a target without Python reads over it in lines.
    """
    first = b"" if password is None else password.encode("utf-8", "surrogateescape") + b"\n"
    packed = _packed(text)
    return first + b"%s %d\n" % (marker.encode(), len(packed)) + packed


@functools.lru_cache(maxsize=2)
def _packed(text: bytes) -> bytes:
    """The same for every host: to compress it again takes 3 ms."""
    return base64.b64encode(zlib.compress(text)) + b"\n"
