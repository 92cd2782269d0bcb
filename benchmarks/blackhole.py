"""What a black hole costs: one host, audited clean and with nothing getting through, in one run.

    python -m benchmarks.blackhole        # as root; DEADLINE seconds may follow

All dials of a host, in all contexts, share one deadline: the audit of a host behind a black hole
may take the deadline and one second more than that of the same host in the clear, and no more.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from tests.lab.auditing import Auditor
from tests.lab.host import LabHost, Wanted
from tests.lab.internet import Internet
from tests.lab.lab import Lab, hindrance
from tests.lab.services import SERVICES

ALLOWED = 1.0  # seconds over the deadline
CLEAN_RUNS = 3
FROM = ("--from", "ssh://outside=internet")


def nothing_out(internet: Internet) -> None:
    internet.blackhole(*SERVICES)


def half_open(internet: Internet) -> None:
    internet.swallow(*SERVICES)


def no_names(internet: Internet) -> None:
    internet.deaf()


def neither(internet: Internet) -> None:
    no_names(internet)
    nothing_out(internet)


HOLES: dict[str, Callable[[Internet], None]] = {
    "packets to every name vanish": nothing_out,
    "connections stand, TLS is never answered": half_open,
    "the resolver answers nobody": no_names,
    "the resolver answers nobody, packets vanish": neither,
}


@contextlib.contextmanager
def filtered(lab: Lab, host: LabHost) -> Iterator[None]:
    """Nothing reaches the host's ports by its public address, from anywhere."""
    with lab.internet.filtered(f"ip daddr {host.public_address} drop"):
        yield


def seconds(auditor: Auditor, host: LabHost, deadline: float) -> float:
    """The wall clock of one whole audit."""
    begun = time.monotonic()
    audited = auditor.audit(host, f"deadline={deadline}", words=FROM)
    assert audited.report["hosts"][0]["findings"], audited.errors
    return time.monotonic() - begun


def main(deadline: float) -> int:
    """Print a line for each black hole; 1 when one costs more than it may."""
    if reason := hindrance():
        sys.stderr.write(f"{reason}\n")
        return 2
    lab = Lab()
    lab.start()
    try:
        host = lab.host("perfect")
        lab.host("outside", Wanted(bare=True, data_disk=False, docker=False))
        auditor = Auditor(lab)
        clean = statistics.median(seconds(auditor, host, deadline) for _ in range(CLEAN_RUNS))
        sys.stdout.write(f"in the clear: {clean:.2f} s, median of {CLEAN_RUNS}\n")
        over = []
        for name, dig in HOLES.items():
            dig(lab.internet)
            lab.internet.publish(host.node_domain, host.public_address)
            with filtered(lab, host):
                spent = seconds(auditor, host, deadline) - clean
            lab.internet.reset()
            over.append(spent - deadline)
            sys.stdout.write(f"{name}: {spent:.2f} s more, {spent / deadline:.2f} deadlines\n")
        worst = max(over)
        sys.stdout.write(f"worst: deadline {worst:+.2f} s, allowed +{ALLOWED:.0f} s\n")
        return int(worst > ALLOWED)
    finally:
        lab.stop()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))
