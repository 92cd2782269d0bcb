"""Runs one request of the agent in this very process, for strace: no detaching, nothing else.

Arguments: the repository, the root, and safeguards to switch off. The request comes on stdin.
"""

import json
import os
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True

from sesam_audit.agent import journal, kernel, main, working  # noqa: E402
from sesam_audit.agent.state import State  # noqa: E402

REQUEST = json.load(sys.stdin)
OFF = sys.argv[3:]
working.detach = lambda work: work()  # type: ignore[attr-defined]

if "begin" in OFF:
    write = journal.Journal.write

    def forgetful(self: journal.Journal, kind: str, **more: object) -> None:
        """Write all records but the one before the act."""
        if kind != "begin":
            write(self, kind, **more)

    journal.Journal.write = forgetful  # type: ignore[method-assign]


def drop(answer: object) -> None:
    """Nobody listens; a refusal shows in what is on the disk."""
    if "loud" in OFF:
        sys.stderr.write(json.dumps(answer) + "\n")


os.umask(0o077)
kernel.forbid_looking()
os.getpgid(0)  # from here on, system calls count
main.answer(REQUEST, State(sys.argv[2]), drop)
