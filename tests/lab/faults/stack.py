"""Faults of the stack's files and networks."""

from __future__ import annotations

from .fault import FAILED, UNKNOWN, Fault

ENV = "/srv/data/.env"
COMPOSE = "/srv/data/docker-compose.yml"
NO_SESAM = "docker network rm sesam >/dev/null"


def _set(key: str, value: str) -> str:
    return f"sed -i 's|^{key}=.*|{key}={value}|' {ENV}"


def _env(name: str, key: str, value: str, says: str = "") -> Fault:
    changes = {"layout.env": FAILED}
    return Fault(name=name, keep=(ENV,), seed=_set(key, value), changes=changes, says=says)


def _edited(name: str, script: str, says: str = "", **changes: str) -> Fault:
    """A compose file that was edited with sed."""
    found = {key.replace("_", "-"): value for key, value in changes.items()}
    found = {f"layout.{key}": value for key, value in found.items()}
    seed = f"sed -i '{script}' {COMPOSE}"
    return Fault(name=name, keep=(COMPOSE,), seed=seed, changes=found, says=says)


STACK = (
    Fault(
        name="no compose file",
        keep=(COMPOSE,),
        seed=f"rm {COMPOSE}",
        changes={"layout.compose-file": FAILED},
    ),
    Fault(
        name="docker-compose.yaml in place of .yml",
        keep=(COMPOSE,),
        seed=f"mv {COMPOSE} /srv/data/docker-compose.yaml",
        mend="rm /srv/data/docker-compose.yaml",
    ),
    Fault(
        name="a compose.yaml that compose prefers",
        seed="echo 'services: {web: {image: nginx}}' >/srv/data/compose.yaml",
        mend="rm /srv/data/compose.yaml",
        changes={"layout.compose-file": FAILED},
        says="no sesam-node",
    ),
    Fault(
        name="an override that takes the node's data away",
        seed="printf 'services:\\n  traefik:\\n    ports: !override [\"8080:80\"]\\n'"
        " >/srv/data/docker-compose.override.yml",
        mend="rm /srv/data/docker-compose.override.yml",
        changes={"layout.compose-file": FAILED},
        says="443",
    ),
    _edited("a compose file that is not YAML", "1s/^/{/", compose_file=FAILED),
    _edited("a Traefik that listens on loopback alone", 's|"443:443"|"127.0.0.1:443:443"|',
            "loopback", compose_file=FAILED),
    _edited("a stack without an updater", "/^  watchtower:/,/^    command/d", "updates",
            compose_file=FAILED),
    _edited("a stack whose updater is a fork", "s|containrrr/watchtower|nickfedor/watchtower|"),
    _edited("a stack that updates another container", "s/command: sesam-node/command: other/",
            "watches", compose_file=FAILED),
    _edited("a node that Traefik passes over", "s/traefik.enable: .*/traefik.enable: false/",
            "traefik.enable is false", compose_file=FAILED),
    _edited("a node that Traefik is not told of", "/traefik.enable/d", "exposedByDefault is false",
            compose_file=FAILED),
    _edited("a web server in Traefik's place", "s|image: traefik:.*|image: nginx:latest|",
            "runs nginx:latest", compose_file=FAILED),
    _edited("a store that the node may not write to",
            "s|        target: /sesam/data|&\\n        read_only: true|", "read-only",
            compose_file=FAILED),
    _edited("a Traefik on a network of its own",
            "0,/networks: \\[/s/networks: .*/networks: [other]/; s/^networks:/&\\n  other: {}/",
            "share no network", compose_file=FAILED),
    _edited("networks that compose makes for itself", "s/    external: true/    driver: bridge/"),
    _edited("a socket that is nobody's",
            "s|/var/run/docker.sock:.*:ro|/run/user/1000/docker.sock:/var/run/docker.sock:ro|",
            "/run/user/1000/docker.sock is missing", bind_sources=FAILED),
    _edited("a node that mounts another directory",
            "s|source: /srv/data/sesam/node-00/data|source: /srv/data/sesam|", data_path=FAILED),
    _edited("a stack with one more service",
            "s|^networks:|  mine:\\n    image: mine\\n    restart: always\\n&|"),
    _edited("a variable that .env does not set",
            "s/weekly-prod/&/; s/${FLUENTBIT_IMAGE_TAG}/${FLUENT_TAG}/", "FLUENT_TAG",
            compose_file=FAILED, env=FAILED),
    Fault(
        name="no .env",
        keep=(ENV,),
        seed=f"rm {ENV}",
        changes={
            "layout.compose-file": FAILED,
            "layout.env": FAILED,
            "license.subscription": UNKNOWN,
            "inbound.dns": UNKNOWN,
            "inbound.caa": UNKNOWN,
            "inbound.https [NODE_DOMAIN]": UNKNOWN,
            "stack.image-channel": UNKNOWN,
        },
    ),
    Fault(
        name=".env with Windows line ends",
        keep=(ENV,),
        seed=f"sed -i 's/$/\\r/' {ENV}",
    ),
    Fault(
        name=".env with a byte order mark",
        keep=(ENV,),
        seed=f"sed -i '1s/^/\\xef\\xbb\\xbf/' {ENV}",
    ),
    Fault(
        name=".env with comments, quotes and export",
        keep=(ENV,),
        seed="sed -i -E -e 's/^(USER_ID)=(.*)/export \\1=\"\\2\"/'"
        f" -e 's/^(NODE_DOMAIN)=(.*)/\\1 = \\2 # x/' {ENV}",
    ),
    Fault(
        name="variables exported in the shell of who audits",
        keep=("/etc/environment",),
        seed="printf 'NODE_DOMAIN=other.example.org\\nUSER_ID=0\\n' >>/etc/environment",
    ),
    Fault(
        name="a subscription still to be filled in",
        keep=(ENV,),
        seed=_set("SUBSCRIPTION_ID", "your_subscription_id"),
        changes={"layout.env": FAILED, "license.subscription": UNKNOWN},
        says="placeholder",
    ),
    Fault(
        name="a domain still to be filled in",
        keep=(ENV,),
        seed=_set("NODE_DOMAIN", "your_node_domain"),
        changes={
            "layout.env": FAILED,
            "inbound.dns": UNKNOWN,
            "inbound.caa": UNKNOWN,
            "inbound.https [NODE_DOMAIN]": UNKNOWN,
        },
        says="placeholder",
    ),
    _env("an appliance still to be filled in", "APPLIANCE_ID", "your_appliance_id", "placeholder"),
    _env("an appliance that is no UUID", "APPLIANCE_ID", "appliance-1", "UUID"),
    _env("an e-mail address still to be filled in", "DNS_ADMIN", "valid@email.address",
         "placeholder"),
    _env("the USER_ID as shipped", "USER_ID", "1000", "auditor"),
    Fault(
        name="a tag that is no channel",
        keep=(ENV,),
        seed=_set("SESAM_NODE_IMAGE_TAG", "2.1.0"),
        changes={
            "layout.env": FAILED,
            "stack.image-channel": FAILED,
            "docker.registry-access": FAILED,
        },
        says="channel",
    ),
    Fault(
        name="a channel that is not for production",
        keep=(ENV,),
        seed=_set("SESAM_NODE_IMAGE_TAG", "nightly"),
        changes={"stack.image-channel": FAILED},
        says="nightly",
    ),
    Fault(
        name="an image pinned to a digest",
        keep=(COMPOSE,),
        seed=f"sed -i 's|sesam/sesam-node:.*|sesam/sesam-node@sha256:{'0' * 64}|' {COMPOSE}",
        changes={
            "layout.env": FAILED,
            "stack.image-channel": FAILED,
            "docker.registry-access": FAILED,
        },
        says="pins sesam-node to sha256:0",
    ),
    Fault(
        name="a directory in place of .env",
        keep=(ENV,),
        seed=f"rm {ENV}; install -d -o sesam -g sesam {ENV}",
        changes={
            "layout.compose-file": FAILED,
            "layout.env": FAILED,
            "license.subscription": UNKNOWN,
            "inbound.dns": UNKNOWN,
            "inbound.caa": UNKNOWN,
            "inbound.https [NODE_DOMAIN]": UNKNOWN,
            "stack.image-channel": UNKNOWN,
        },
        says="env is a directory",
    ),
    Fault(
        name="a socket that is a directory",
        keep=(COMPOSE,),
        seed=f"mkdir /run/other.sock; sed -i 's|/var/run/docker.sock:/var/run/docker.sock:ro|"
        f"/run/other.sock:/var/run/docker.sock:ro|' {COMPOSE}",
        mend="rmdir /run/other.sock",
        changes={"layout.bind-sources": FAILED},
        says="other.sock",
    ),
)  # fmt: skip

NETWORKS = (
    Fault(
        name="no network microservices",
        seed="docker network rm microservices >/dev/null",
        mend="docker network create microservices >/dev/null",
        changes={"layout.networks": FAILED},
        says="microservices",
    ),
    Fault(
        name="a network that leads nowhere",
        seed=f"{NO_SESAM}; docker network create --internal sesam >/dev/null",
        mend=f"{NO_SESAM}; docker network create sesam >/dev/null",
        changes={"layout.networks": FAILED},
        says="internal",
    ),
    Fault(
        name="two networks called sesam",
        seed="curl -sS --unix-socket /run/docker.sock -H 'Content-Type: application/json'"
        """ -d '{"Name":"sesam"}' http://docker/networks/create >/dev/null""",
        mend="docker network rm $(docker network ls -q -f name=^sesam$) >/dev/null; "
        "docker network create sesam >/dev/null",
        changes={"layout.networks": FAILED},
        says="2 networks",
    ),
)

FAULTS = (*STACK, *NETWORKS)
