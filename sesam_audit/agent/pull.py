"""The stack's images, fetched by the Engine; the login goes in a header on its local socket."""

import base64
import http.client
import json
import os
import re
import time
from typing import Any, Dict, List, Optional

from .action import Action, Facts, Host, Note, Spec, Stop, UndoResult
from .engine import SOCKET, Engine, Refused, named
from .paths import READING

REGISTRY = "https://index.docker.io/v1/"
SILENCE = 120.0  # seconds without a byte
PAUSES = (2, 8, 30)  # seconds before each further attempt
ROOM = 3  # an image takes at most so many times its compressed size while it is unpacked
_NO = re.compile(r"unauthorized|denied|forbidden|\b40[13]\b|incorrect username", re.IGNORECASE)
_LIMIT = re.compile(r"toomanyrequests|too many requests|rate limit|\b429\b", re.IGNORECASE)
_ABSENT = re.compile(
    r"manifest unknown|not found|does not exist|no matching manifest", re.IGNORECASE
)


class Pull(Action):
    """`after`: images; refresh: those that are pulled though an image of the name is there.

    `login` is the file whose entry counts when no login came with the plan.
    """

    kind = "pull"

    def __init__(self, spec: Spec, host: Host) -> None:
        super().__init__(spec, host)
        self._fresh: List[str] = []

    def look(self) -> Facts:
        left = set(self.want.get("refresh", ())).difference(self._fresh)
        images = {image: self._present(image) for image in self.want["images"]}
        return {"images": images, "left": sorted(left)}

    def _present(self, image: str) -> Optional[Facts]:
        found = self._engine().found("/images/%s/json" % named(image))
        if not found:
            return None
        return {"id": found["Id"], "digests": sorted(found.get("RepoDigests") or [])}

    def _engine(self) -> Engine:
        return Engine(self.host.real(SOCKET))

    def holds(self, now: Facts) -> bool:
        return all(now["images"].values()) and not now["left"]

    def do(self, was: Facts, note: Note) -> None:
        for image in self.want["images"]:
            if image in self.want.get("refresh", ()) or not self._present(image):
                self._pull(image)
                self._fresh.append(image)

    def resume(self, was: Facts, notes: Facts, note: Note) -> None:
        """What was cut off is thrown away by the Engine, what had arrived is kept by it."""
        self.do(was, note)

    def _pull(self, image: str) -> None:
        for pause in PAUSES + (0,):
            try:
                self._attempt(image)
                break
            except (OSError, http.client.HTTPException, _Lost) as error:
                if not pause:
                    raise Stop(
                        "%s could not be pulled: %s" % (image, error),
                        "Look at outbound.docker and outbound.docker-layers of an audit.",
                    ) from error
                words = "%s: %s; again in %d s" % (image, error, pause)
                self.host.say("progress", text=words)
                time.sleep(pause)

    def _attempt(self, image: str) -> None:
        tagged = ":" in image.rpartition("/")[2]
        name, _, tag = image.rpartition(":") if tagged else (image, "", "latest")
        headers = {"X-Registry-Auth": self._login()}
        query = {"fromImage": name, "tag": tag}
        progress = _Progress(self, image)
        try:
            lines = self._engine().lines("/images/create", headers, SILENCE, **query)
            for line in lines:
                if "error" in line:
                    raise _verdict(image, str(line["error"]))
                progress.hear(line)
        except Refused as refused:
            raise _verdict(image, refused.said) from refused
        if not self._present(image):
            raise _Lost("the pull ended without the image")
        progress.end()

    def _login(self) -> str:
        """The header's text; without a login it is that of nobody."""
        login = {}  # type: Dict[str, str]
        if self.spec.get("secret") == "registry" and self.host.has_secret("registry"):
            login = {"username": self.want["user"], "password": self.host.secret("registry")}
        elif self.want.get("login"):
            login = self._kept_login()
        if login:
            login["serveraddress"] = REGISTRY
        return base64.urlsafe_b64encode(json.dumps(login).encode()).decode()

    def _kept_login(self) -> Dict[str, str]:
        try:
            with self.host.paths.place(self.want["login"]) as place, place.opened(READING) as file:
                document = json.loads(os.read(file, 1 << 20).decode())
            auth = document["auths"][REGISTRY]["auth"]
            user, _, password = base64.b64decode(auth).decode().partition(":")
        except (OSError, ValueError, LookupError, TypeError):
            return {}
        return {"username": user, "password": password}

    def undo(self, begun: Facts, done: Optional[Facts], note: Note) -> UndoResult:
        came = [name for name, was in sorted(begun["before"]["images"].items()) if not was]
        kept = [name for name in came if self._present(name)]
        if not kept:
            return "undone", ""
        return "cannot", "images stay: sudo docker image rm %s" % " ".join(kept)


class _Lost(Exception):
    """The network's fault: worth another attempt."""


def _verdict(image: str, words: str) -> Exception:
    """Whether an error of a pull ends it, and with which words."""
    words = " ".join(words.split())[:500]
    if _LIMIT.search(words):
        return Stop(
            "Docker Hub has had enough of this address for now (429), at %s: %s" % (image, words),
            "Wait some hours, or pull with a login: --login USER.",
        )
    if _NO.search(words):
        return Stop(
            "the registry does not let this login read %s: %s" % (image, words),
            "Ask Sesam for access, or give the right login: --login USER.",
        )
    if _ABSENT.search(words):
        return Stop("the registry has no %s: %s" % (image, words), "Look at the tags in .env.")
    if "no space left" in words:
        return Stop("the disk is full at %s: %s" % (image, words), "docker system df")
    return _Lost(words)


class _Progress:
    """Bytes of all layers of an image, told about twice a second."""

    def __init__(self, pull: Pull, image: str) -> None:
        self.pull, self.image = pull, image
        self.sizes = {}  # type: Dict[str, int]
        self.arrived = {}  # type: Dict[str, int]
        self.told = 0.0
        self.free = _free(pull)

    def hear(self, line: Dict[str, Any]) -> None:
        layer, detail = str(line.get("id", "")), line.get("progressDetail") or {}
        if line.get("status") == "Downloading" and detail.get("total"):
            self.sizes[layer] = detail["total"]
            self.arrived[layer] = detail["current"]
            self._check_room()
        elif line.get("status") in ("Download complete", "Pull complete"):
            self.arrived[layer] = self.sizes.get(layer, 0)
        if time.monotonic() - self.told > 0.5:
            self.told = time.monotonic()
            again = str(line.get("status", ""))
            trouble = ": " + again if again.startswith("Retrying") else ""
            self._say("pulling %s%s" % (self.image, trouble))

    def end(self) -> None:
        """Say that the image is there."""
        self._say("pulled %s" % self.image)

    def _say(self, words: str) -> None:
        done, total = sum(self.arrived.values()), sum(self.sizes.values())
        self.pull.host.say("progress", text=words, done=done, total=total, unit="bytes")

    def _check_room(self) -> None:
        needed = sum(self.sizes.values()) * ROOM
        if self.free is not None and needed > self.free:
            raise Stop(
                "%s needs about %d MB, and %d MB are free for Docker's images"
                % (self.image, needed // 10**6, self.free // 10**6),
                "Make room: docker system df",
            )


def _free(pull: Pull) -> Optional[int]:
    """Bytes that are free where the Engine keeps images; None when that cannot be told."""
    try:
        where = pull.host.real(Engine(pull.host.real(SOCKET)).get("/info")["DockerRootDir"])
        found = os.statvfs(where)
    except (OSError, LookupError):
        return None
    return found.f_bavail * found.f_frsize
