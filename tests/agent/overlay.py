"""A copy of this machine to change as one likes: an overlay over its root, to be chrooted into."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path


def mount(*words: object) -> None:
    """Mount, or fail with mount's own words."""
    subprocess.run(("mount", *map(str, words)), check=True)


@contextlib.contextmanager
def overlay(base: Path) -> Iterator[Path]:
    """The copy's root; what is written there lies in memory and is gone at the end."""
    mount("-t", "tmpfs", "-o", "mode=755", "none", base)
    try:
        for name in ("upper", "work", "root"):
            (base / name).mkdir(mode=0o755)
        root = base / "root"
        layers = f"lowerdir=/,upperdir={base}/upper,workdir={base}/work"
        mount("-t", "overlay", "-o", layers, "none", root)
        mount("-t", "proc", "none", root / "proc")
        for name in ("null", "random", "urandom"):
            device = root / "dev" / name
            if not device.exists():
                device.touch()
            mount("--bind", f"/dev/{name}", device)
        yield root
    finally:
        subprocess.run(("umount", "--recursive", str(base)), check=False)
        subprocess.run(("umount", "--lazy", str(base)), check=False, stderr=subprocess.DEVNULL)
