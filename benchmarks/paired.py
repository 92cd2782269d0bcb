"""Time commands in turn, A B A B ..., and print medians and the ratio pair by pair.

    python benchmarks/paired.py [-n RUNS] [--stdin FILE] 'COMMAND A' 'COMMAND B'

Whole processes from outside; output is thrown away; the exit codes are printed, not judged.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import time
from pathlib import Path


def once(command: str, stdin: Path | None) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds of the process and its children, exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with (stdin or Path(os.devnull)).open("rb") as feed:
        code = subprocess.run(
            ["/bin/sh", "-c", f"exec {command}"],
            stdin=feed,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, code


def row(label: str, values: list[float]) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{label:12} min {low:7.3f}  median {middle:7.3f}  max {high:7.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=7)
    parser.add_argument("--stdin", type=Path, help="fed to command B")
    parser.add_argument("a")
    parser.add_argument("b")
    arguments = parser.parse_args()
    once(arguments.a, None), once(arguments.b, arguments.stdin)
    pairs = [
        (once(arguments.a, None), once(arguments.b, arguments.stdin)) for _ in range(arguments.n)
    ]
    for letter, index in (("A", 0), ("B", 1)):
        print(f"{letter}: {(arguments.a, arguments.b)[index]}")
        print("  " + row("wall s", [pair[index][0] for pair in pairs]))
        print("  " + row("cpu s", [pair[index][1] for pair in pairs]))
        print(f"  exit codes   {sorted({pair[index][2] for pair in pairs})}")
    print(row("wall A/B", [a[0] / b[0] for a, b in pairs]))
    print(row("wall A-B s", [a[0] - b[0] for a, b in pairs]))


if __name__ == "__main__":
    main()
