"""The phases that lay out a host: account, directories, link, ownership, networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from sesam_audit.asks import StatAnswer, denied
from sesam_audit.facts.account import SesamUser
from sesam_audit.facts.data_directory import DataDirectory, Place
from sesam_audit.facts.data_link import StrayLink
from sesam_audit.facts.ground import Ground, Number, Strangers
from sesam_audit.facts.inspection import listed
from sesam_audit.facts.networks import Networks
from sesam_audit.facts.ownership import PASSED_NAMES
from sesam_audit.facts.subnets import Subnets
from sesam_audit.site import Draft, Phase, Site, Step, Stop
from sesam_audit.wanted import (
    HOME,
    LOGIN_FOLDER,
    NETWORKS,
    NODE,
    OWNER,
    STORE,
    TREES,
    Directory,
    directories,
    link,
)

SHELL = "/bin/bash"
_OWN_SUBNETS = ("10.213.{}.0/24", "10.87.{}.0/24", "172.31.{}.0/24", "192.168.{}.0/24")
_LIMIT = 5_000_000  # entries of which the owner is looked at and, where it is wrong, corrected


def account(site: Site, draft: Draft) -> Phase:
    """User and group sesam, with one number that is free as both."""
    sesam, number = site.need(SesamUser), site.need(Number)
    if sesam.exists:
        if site.failed("layout.user"):
            draft.notes.append(
                f"{site.failed('layout.user')}: apply changes no number and no home of an account"
                " that is there; see `sesam-audit explain layout.user`"
            )
        return
    mends = site.open("layout.user")
    reason = "the guide, Environment Setup; the node hands its files to this number"
    if sesam.own_group is None:
        wanted = {"name": OWNER, "gid": number.group}
        yield Step(
            kind="group",
            title=f"Create group {OWNER} ({number.group})",
            reason=reason,
            after=wanted,
            mends=mends,
        )
    draft.notes.append(
        f"user {OWNER} is not put into the group docker: that is as good as root, and yours to do"
    )
    yield Step(
        kind="user",
        title=f"Create user {OWNER} ({number.user})",
        reason=reason,
        after={
            "name": OWNER,
            "uid": number.user,
            "gid": number.group,
            "home": HOME,
            "shell": SHELL,
        },
        mends=mends,
    )


def folders(site: Site, _: Draft) -> Phase:
    """Every directory of the guide, and every directory that the stack mounts."""
    ground, number = site.need(Ground), site.need(Number)
    for wanted in directories(site.profile):
        found = ground.places[wanted.path]
        if wanted.path == NODE and found.kind == "link":
            yield Stop(
                f"{NODE} is a link to {found.target}; on the root disk it has to be a directory",
                "See `sesam-audit explain layout.data-link`, or use --set data=datadisk",
            )
        elif trouble := _hindrance(wanted.path, found, number):
            yield trouble
        else:
            yield from _folder(site, wanted, found, number)


def _hindrance(path: str, found: StatAnswer, number: Number) -> Stop | None:
    if found.error and not found.missing:
        raise denied(found, path)
    if not found.missing and found.kind != "directory":
        return Stop(f"{path} is a {found.kind}, a directory is needed there", "Move it away")
    if path == HOME and not found.missing and found.uid not in (0, number.user):
        who = found.user or str(found.uid)
        return Stop(f"{HOME} belongs to {who}", "Find out whose it is, and move it away")
    return None


def _folder(site: Site, wanted: Directory, found: StatAnswer, number: Number) -> Iterator[Step]:
    mode = wanted.mode
    closed = not (wanted.path == LOGIN_FOLDER and found.mode & 0o077)
    if not found.missing and found.mode & 0o700 == 0o700 and closed:
        mode = found.mode
    owned = (found.uid, found.gid) == (number.user, number.group)
    if not found.missing and owned and mode == found.mode:
        return
    within = wanted.path.startswith(TREES)
    about = ("layout.directories", "layout.bind-sources") if found.missing and within else ()
    yield Step(
        kind="directory",
        title=f"{'Create' if found.missing else 'Give to ' + OWNER} {wanted.path}/",
        reason="the guide, File structure" if within else "sesam's login lies in it",
        after={
            "path": wanted.path,
            "uid": number.user,
            "gid": number.group,
            "mode": f"{mode:04o}",
        },
        mends=site.open(*about, *(("layout.ownership",) if within and not owned else ())),
    )


def data_link(site: Site, _: Draft) -> Phase:
    """The link from /sesam/node-00/data to the data disk, and no link in the store to itself."""
    stray = site.need(StrayLink)
    if stray.to_itself:
        yield Step(
            kind="stray-link",
            title=f"Remove the link {stray.inside.path}, which leads to its own directory",
            reason="the guide's `ln -s`, done twice, leaves it there",
            after={"path": stray.inside.path},
            mends=site.open("layout.stray-link"),
        )
    wanted = link(site.profile)
    if wanted is None:
        return
    data = site.need(DataDirectory)
    if data.node.doubt:
        raise data.node.doubt
    if not _leads(data.node, data.store):
        yield _link(site, data.node)


def _leads(node: Place, store: Place) -> bool:
    """Whether the link is there, or a bind mount in its place, or it waits for the store."""
    dangling = node.kind == "link" and node.error == "ENOENT" and node.leads_to == STORE
    return node.same(store) or dangling


def _link(site: Site, node: Place) -> Step | Stop:
    number = site.need(Number)
    empty = node.kind == "directory" and not site.need(Ground).in_node.names
    if not node.missing and not empty:
        return _in_the_way(site, node)
    return Step(
        kind="link",
        title=f"Link {NODE} to {STORE}",
        reason="the guide, File structure: the store lies on the data disk",
        after={
            "path": NODE,
            "text": STORE,
            "empty_directory": "replace" if empty else "refuse",
            "uid": number.user,
            "gid": number.group,
        },
        mends=site.open("layout.data-link", "layout.data-path", "layout.directories"),
    )


def _in_the_way(site: Site, node: Place) -> Stop:
    if node.kind == "directory":
        held = listed(site.need(Ground).in_node.names, 3)
        return Stop(
            f"{NODE} is a directory that holds {held}, where a link to {STORE} should be",
            "It may be a store in use. With the stack stopped and a backup made, move what it holds"
            f" to {STORE}, and leave it empty",
        )
    if node.kind == "link":
        return Stop(
            f"{NODE} is a link to {node.leads_to}, not to {STORE}",
            "Find out which store is the one in use; apply chooses none for you",
        )
    return Stop(f"{NODE} is a {node.kind}, where a link to {STORE} should be", "Move it away")


def ownership(site: Site, draft: Draft) -> Phase:
    """Everything else below /srv/data and /sesam is sesam's."""
    found, number, ground = site.need(Strangers), site.need(Number), site.need(Ground)
    walk = found.walk
    if walk.missing:
        return
    if walk.error:
        raise denied(walk, " and ".join(TREES))
    planned = {step.after["path"] for step in draft.steps if step.kind == "directory"}
    there = [path for path in planned if path.startswith(TREES) and not ground.places[path].missing]
    if walk.offenders <= len(there) and walk.complete:
        return
    yield Step(
        kind="ownership",
        title=f"Give to {OWNER} what others own below {' and '.join(TREES)}",
        reason=f"the guide, Environment Setup, 6; such as {listed(walk.samples, 3)}",
        after={
            "roots": list(TREES),
            "uid": number.user,
            "gid": number.group,
            "passed_over": list(found.skip),
            "names": list(PASSED_NAMES),
            "limit": _LIMIT,
        },
        mends=site.open("layout.ownership"),
    )


def networks(site: Site, _: Draft) -> Phase:
    """The two networks of the stack, where addresses are free."""
    known = site.need(Networks)
    taken: list[str] = []
    for name in NETWORKS:
        same = known.named(name)
        fits = len(same) == 1 and same[0].driver == "bridge" and not same[0].internal
        if same and not fits:
            yield Stop(
                site.failed("layout.networks") or f"the network {name} is of the wrong kind",
                f"Look what uses it, then remove it:\n\n    sudo docker network rm {name}",
            )
        elif not same:
            wished = dict(zip(NETWORKS, site.profile.network_subnets, strict=False)).get(name)
            if wished and (user := _user_of(site, wished)):
                yield Stop(
                    f"network_subnets: {wished} covers {user}", "Choose addresses nobody uses"
                )
                continue
            covered = None if wished else _subnet(site, taken)
            subnet = wished or covered
            yield Step(
                kind="network",
                title=f"Create the Docker network {name}" + (f" ({subnet})" if subnet else ""),
                reason="the guide, Docker Setup, 3"
                + ("; Docker's own choice could cover an address in use" if covered else ""),
                after={"name": name, "subnet": subnet},
                mends=site.open("layout.networks"),
            )


def _user_of(site: Site, wished: str) -> str:
    """Who has addresses of a subnet already, or is reached at them; "" for nobody."""
    subnets, network = site.maybe(Subnets), ipaddress.ip_network(wished)
    places = [(each.what, each.network) for each in subnets.places] if subnets else []
    for name, taken in subnets.taken.items() if subnets else ():
        places += [(f"Docker's network {name}", each) for each in taken]
    known = [(what, ipaddress.ip_network(each, strict=False)) for what, each in places]
    return next((what for what, x in known if x.version == 4 and x.overlaps(network)), "")


def _subnet(site: Site, taken: list[str]) -> str | None:
    """None where Docker's own choice is safe, else a subnet that covers nothing the host needs."""
    subnets = site.maybe(Subnets)
    if subnets is None or not subnets.collisions:
        return None
    used = [place.network for place in subnets.places] + taken
    used += [each for known in subnets.taken.values() for each in known]
    blocked = [ipaddress.ip_network(each, strict=False) for each in used]
    for pattern in _OWN_SUBNETS:
        for number in range(256):
            wanted = ipaddress.ip_network(pattern.format(number))
            if not any(each.version == 4 and wanted.overlaps(each) for each in blocked):
                taken.append(str(wanted))
                return str(wanted)
    return None
