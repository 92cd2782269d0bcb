"""The stack's images, built from the lab's root: a shared base, and stand-ins laid over it."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import root
from .certificates import self_signed

STANDINS = Path(__file__).with_name("standins")
PROGRAMS = {
    "usr/bin/python3": "usr/bin/python3.11",
    "bin/sh": "usr/bin/dash",
    **{f"bin/{name}": f"usr/bin/{name}" for name in ("cat", "chown", "false", "ls", "sleep")},
}
LIBRARY = "usr/lib/python3.11"
LEFT_OUT = ("test", "tests", "__pycache__", "idlelib", "lib2to3", "ensurepip", "pydoc_data")
PLACES = {
    "entrypoint.sh": "entrypoint.sh",
    "usr/bin/gosu": "gosu.py",
    "usr/bin/lake": "lake.py",
    "fluent-bit/bin/fluent-bit": "fluent_bit.py",
    "watchtower": "watchtower.py",
    "usr/bin/traefik": "traefik.py",
}
DIRECTORIES = {"tmp": 0o1777, "lab": 0o755, "data": 0o755}
NEVER_HEALTHY = {"Test": ["CMD", "/bin/false"], "Interval": 10**9, "Retries": 2}
BEHAVIOURS = ("", "crashes", "dies", "unwell", "tells", "unhealthy")


@dataclass(frozen=True)
class Image:
    """What a registry keeps of an image: blobs by digest, the configuration, the layers."""

    config: bytes
    layers: tuple[Path, ...]

    @property
    def manifest(self) -> bytes:
        """The image's manifest in Docker's second version."""
        kind = "application/vnd.docker"
        layers = [
            _described(f"{kind}.image.rootfs.diff.tar.gzip", path.read_bytes())
            for path in self.layers
        ]
        config = _described(f"{kind}.container.image.v1+json", self.config)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        return json.dumps(manifest).encode()


MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
SETTINGS: dict[str, dict[str, Any]] = {
    "library/traefik": {"Entrypoint": ["/usr/bin/traefik"]},
    "sesam/sesam-node": {"Cmd": ["sh"]},
    "sesam/fluent-bit": {},
    "containrrr/watchtower": {"Entrypoint": ["/watchtower"]},
}


def image(
    repository: str, behaviour: str = "", release: str = "1", program: Path | None = None
) -> Image:
    """An image of the stack; another release has another digest.

    It `crashes`, `dies` after 15 s, is `unwell` by its API, or `unhealthy` by its own check; or the
    real program takes the stand-in's place.
    """
    if behaviour not in BEHAVIOURS:
        raise ValueError(behaviour)
    settings: dict[str, Any] = {
        **SETTINGS[repository],
        "Env": ["PATH=/usr/bin:/bin", f"LAB_BEHAVIOUR={behaviour}"],
        "Labels": {"release": release},
    }
    if behaviour == "unhealthy":
        settings["Healthcheck"] = NEVER_HEALTHY
    layers = (*_layers(), *([_real(repository, program)] if program else []))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": settings,
        "rootfs": {"type": "layers", "diff_ids": [_diff(path) for path in layers]},
        "history": [{"created_by": "the lab"} for _ in layers],
    }
    return Image(json.dumps(config).encode(), layers)


def digest(content: bytes) -> str:
    """The name of a blob."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "size": len(content), "digest": digest(content)}


def _diff(path: Path) -> str:
    return path.with_suffix(".diff").read_text()


def _layers() -> tuple[Path, ...]:
    """The two layers of every image, built once for a root and a version of the stand-ins."""
    base = root.ready()
    sources = b"".join(path.read_bytes() for path in sorted(STANDINS.glob("*.*")))
    recipe = hashlib.sha256(Path(__file__).read_bytes() + sources).hexdigest()[:16]
    at = root.place() / "images" / f"{base.name}-{recipe}"
    at.mkdir(parents=True, exist_ok=True)
    with (at / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (at / "done").exists():
            _write(at / "base.layer", _base(base))
            _write(at / "standins.layer", _standins())
            (at / "done").touch()
    return at / "base.layer", at / "standins.layer"


def _real(repository: str, program: Path) -> Path:
    """A layer with a program in the place of the repository's entry point; kept by its content."""
    name = digest(program.read_bytes()).rpartition(":")[2][:16]
    at = root.place() / "images" / f"program-{name}"
    at.mkdir(parents=True, exist_ok=True)
    with (at / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (at / "done").exists():
            (inside,) = SETTINGS[repository]["Entrypoint"]
            content = program.read_bytes()
            _write(at / "program.layer", [(_info(inside.lstrip("/"), 0o755), content)])
            (at / "done").touch()
    return at / "program.layer"


def _write(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    path.with_suffix(".diff").write_text(digest(plain.getvalue()))
    path.write_bytes(gzip.compress(plain.getvalue(), compresslevel=1, mtime=0))


def _base(base: Path) -> Iterable[tuple[tarfile.TarInfo, bytes]]:
    """Python, a shell and a few programs, with the libraries they are linked to."""
    for name, mode in DIRECTORIES.items():
        yield _info(name, mode, tarfile.DIRTYPE), b""
    for name, source in PROGRAMS.items():
        yield _info(name, 0o755), (base / source).read_bytes()
    for path in sorted((base / LIBRARY).rglob("*")):
        if path.is_file() and not set(path.relative_to(base).parts) & set(LEFT_OUT):
            yield _info(str(path.relative_to(base)), 0o644), path.read_bytes()
    for name in _linked(base):
        yield _info(name.lstrip("/"), 0o755), (base / name.lstrip("/")).resolve().read_bytes()


def _linked(base: Path) -> list[str]:
    modules = [f"/{path.relative_to(base)}" for path in (base / LIBRARY).rglob("_*.so")]
    programs = [f"/{source}" for source in PROGRAMS.values()]
    command = ("chroot", str(base), "ldd", *programs, *modules)
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(set(re.findall(r"(/\S+\.so\S*) \(0x", told)))


def _standins() -> Iterable[tuple[tarfile.TarInfo, bytes]]:
    for name, source in PLACES.items():
        yield _info(name, 0o755), (STANDINS / source).read_bytes()
    certificate, key = self_signed("TRAEFIK DEFAULT CERT")
    yield _info("lab/default.pem", 0o644), (certificate + key).encode()


def _info(name: str, mode: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.type = mode, kind
    return info
