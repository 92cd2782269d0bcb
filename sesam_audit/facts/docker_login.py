"""Docker's client configurations: the updater's registry login, and who else has one."""

from __future__ import annotations

from shlex import quote

from msgspec import Struct

from sesam_audit.asks import (
    Account,
    DockerConfig,
    DockerConfigAnswer,
    Registry,
    Stat,
    StatAnswer,
    Steps,
    denied,
)
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, gather
from sesam_audit.profile import Profile
from sesam_audit.wanted import LOGIN_FILE

ROOT_CONFIG = "/root/.docker/config.json"
HUB = "https://index.docker.io/v1/"


class Login(Struct, frozen=True):
    """One client configuration; `kind` is "" when nothing is there."""

    path: str
    kind: str = "file"
    uid: int = -1
    mode: int = 0o600
    json: bool = True
    registries: dict[str, Registry] = {}
    store: str = ""
    proxies: dict[str, str] = {}

    @property
    def hub(self) -> Registry:
        return self.registries.get(HUB, Registry())

    @property
    def logged_in(self) -> bool:
        return bool(self.store or self.hub.auth or self.hub.helper)

    @property
    def fault(self) -> str:
        """Why a container that holds this file alone is not logged in; "" when it is."""
        helper = self.store or self.hub.helper
        elsewhere = ", ".join(name for name, each in self.registries.items() if each.auth)
        made = f"{self.path} is a directory: Docker made it because the file was not there"
        faults = (
            (not self.kind, f"there is no {self.path}"),
            (self.kind == "directory", made),
            (self.kind != "file", f"{self.path} is a {self.kind}, not a file"),
            (not self.json, f"{self.path} is not JSON"),
            (
                helper,
                f"the login lies with {helper}, but the updater's container can call no helper",
            ),
            (not self.hub.auth and elsewhere, f"the login is for {elsewhere}, not for {HUB}"),
            (not self.hub.auth, f"{self.path} holds no login for {HUB}"),
        )
        return next((words for wrong, words in faults if wrong), "")


class DockerLogin(Struct, frozen=True):
    """What the updater's container will read as its /config.json."""

    updater: Login
    others: tuple[Login, ...] = ()  # of those who may run compose, where they could be read

    @classmethod
    def ask(cls, profile: Profile) -> Steps[DockerLogin]:
        """Read the updater's login, without its password, and see who else has one."""
        updater, others = yield from gather(_login(LOGIN_FILE), _others())
        return cls(updater, others)


class ClientProxies(Struct, frozen=True):
    """The configurations whose `proxies` compose hands to containers, where they can be read."""

    logins: tuple[Login, ...]
    unread: tuple[str, ...] = ()

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ClientProxies]:
        """Read what the updater's, root's and the asking user's clients say."""
        updater, root, others = yield from gather(
            attempt(_login(LOGIN_FILE)), attempt(_login(ROOT_CONFIG)), _others()
        )
        known = {each.path: each for each in (*others, updater, root) if isinstance(each, Login)}
        unread = [
            path
            for path, each in ((LOGIN_FILE, updater), (ROOT_CONFIG, root))
            if isinstance(each, Unknown)
        ]
        return cls(tuple(known.values()), tuple(unread))


def _login(path: str) -> Steps[Login]:
    config, stat = yield from gather(DockerConfig(path), Stat(path))
    return _read(path, config, stat)


def _others() -> Steps[tuple[Login, ...]]:
    """Root's and the asking user's configurations: the ones `docker compose` may use."""
    root, me = yield from gather(attempt(_login(ROOT_CONFIG)), attempt(Account()))
    logins = [root]
    if not isinstance(me, Unknown) and me.home and me.name != "root":
        logins.append((yield from attempt(_login(f"{me.home}/.docker/config.json"))))
    return tuple(each for each in logins if isinstance(each, Login) and each.path != LOGIN_FILE)


def _read(path: str, config: DockerConfigAnswer, stat: StatAnswer) -> Login:
    if stat.missing:
        return Login(path, kind="")
    if stat.error:
        raise denied(stat, path)
    thing = stat.resolved
    if stat.kind == "link" and thing is not None and thing.error == "ENOENT":
        return Login(path, kind="dangling link")
    kind, uid, mode = (
        (thing.kind, thing.uid, thing.mode)
        if thing is not None and stat.kind == "link"
        else (stat.kind, stat.uid, stat.mode)
    )
    if kind != "file":
        return Login(path, kind or stat.kind, uid, mode)
    if config.error:
        raise denied(config, path, f"sudo stat {quote(path)}")
    return Login(
        path,
        uid=uid,
        mode=mode,
        json=config.json,
        registries=config.registries or {},
        store=config.store,
        proxies=config.proxies or {},
    )
