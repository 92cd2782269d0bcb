"""Before a first start: which of the stack's images are there, and are what the registry has."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from sesam_audit.asks import Answer, DockerApi, DockerApiAnswer, Pull, PullAnswer, Steps
from sesam_audit.environment import SHIPPED
from sesam_audit.errors import Unknown
from sesam_audit.facts import attempt, every, gather
from sesam_audit.facts.containers import Containers
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.engine import mapping
from sesam_audit.facts.node_image import DIGEST, on_hub
from sesam_audit.facts.stack import Stack
from sesam_audit.profile import Profile
from sesam_audit.stack_file import images
from sesam_audit.wanted import LOGIN_FILE


class ImageStore(Struct, frozen=True):
    """`current` are those proved to be the registry's; of a stack with containers nothing is asked.

    Once it has started, its own updater keeps it up to date.
    """

    started: bool = False
    current: frozenset[str] = frozenset()

    def doubtful(self, wanted: tuple[str, ...]) -> list[str]:
        """The images that are to be pulled, there or not."""
        pinned = {each for each in wanted if "@" in each}
        return [x for x in wanted if x not in self.current | pinned] if not self.started else []

    @classmethod
    def ask(cls, profile: Profile) -> Steps[ImageStore]:
        """Compare digests; a HEAD of a manifest spends no pull.

        Raises:
            Unknown: the daemon did not answer.
        """
        known, stack, deployment = yield from gather(
            Containers.ask(profile), attempt(Stack.ask(profile)), attempt(Deployment.ask(profile))
        )
        if any(each.of_stack() and not each.oneoff for each in known.containers):
            return cls(started=True)
        asked = {name: ask for name in set(_names(stack, deployment)) if (ask := _head(name))}
        local, there = yield from gather(
            every(attempt(DockerApi(f"/images/{name}/json", ("RepoDigests",))) for name in asked),
            every(attempt(ask) for ask in asked.values()),
        )
        pairs = zip(asked, local, there, strict=True)
        return cls(current=frozenset(name for name, has, told in pairs if _same(has, told)))


def _names(stack: Stack | Unknown, deployment: Deployment | Unknown) -> Iterator[str]:
    """The images of the stack that is there, and of the one that we would write."""
    if isinstance(stack, Stack):
        yield from (each.image for each in stack.services.values() if each.image)
    values = deployment.values if isinstance(deployment, Deployment) else {}
    yield from images({key: values.get(key) or tag for key, tag in SHIPPED.items()})


def _head(image: str) -> Pull | None:
    """The question for the digest of a tag; None where Docker Hub is not whom to ask."""
    name = on_hub(image)
    folder, _, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    if "@" in image or "." in folder or ":" in folder or folder == "localhost":
        return None
    login = LOGIN_FILE if folder == "sesam" else ""
    repository = f"{folder or 'library'}/{base}"
    return Pull(repository, tag or "latest", login_file=login, context="daemon")


def _same(local: Answer | Unknown, there: Answer | Unknown) -> bool:
    if not isinstance(local, DockerApiAnswer) or not isinstance(there, PullAnswer):
        return False
    told = there.last
    digest = (told.headers or {}).get(DIGEST) if told and told.status == 200 else None
    listed = mapping(local.value).get("RepoDigests")
    known = {str(each).partition("@")[2] for each in (listed if isinstance(listed, list) else ())}
    return bool(digest) and digest in known
