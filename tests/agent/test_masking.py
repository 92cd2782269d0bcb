"""What is told shows no secret: no line, value or base64 of one, and stays readable otherwise."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from sesam_audit.agent.host import Host
from sesam_audit.agent.keepsakes import keepsakes
from sesam_audit.agent.masking import Mask
from sesam_audit.agent.state import State

LICENSE = (
    "-----BEGIN SESAM LICENSE-----\nbGljZW5zZS1jYW5hcnktMQ\nYmxpY2Vuc2UtY2FuYXJ5LTI=\n"
    "-----END SESAM LICENSE-----\n"
)
PASSWORD = "dckr_pat_canary-0815"
ENVIRONMENT = (
    "EXTRA_KEY=canary-of-an-extra-key\nexport QUOTED='canary in quotes' # why\n"
    "PIN=x7Q2\nDEBUG=true\nPORT=8080\n"
)
SECRETS = {"license": LICENSE, "registry": PASSWORD, "environment": ENVIRONMENT}
CANARIES = (
    "bGljZW5zZS1jYW5hcnktMQ", "YmxpY2Vuc2UtY2FuYXJ5LTI", PASSWORD, "canary-of-an-extra-key",
    "canary in quotes", "x7Q2",
)  # fmt: skip


def mask(text: str, **secrets: str) -> str:
    return Mask((secrets or SECRETS).items())(text)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22T10:00:00Z {}",
        "FATAL: cannot use '{}', giving up",
        'KEY={} OTHER="1"',
        "https://user:{}@host/",
    ],
)
def test_a_piece_in_a_line(line: str, canary: str) -> None:
    assert canary not in mask(line.format(canary))


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "sesamcustomer"])
@pytest.mark.parametrize("secret", [PASSWORD, "canary-of-an-extra-key", "x7Q2-8"])
def test_a_login_as_a_registry_wants_it(user: str, secret: str) -> None:
    entry = encoded(f"{user}:{secret}")
    secrets = {**SECRETS, "environment": ENVIRONMENT + "SHORT=x7Q2-8\n"}

    assert mask(f'{{"auth": "{entry}"}}', **secrets) == '{"auth": "..."}'


def test_a_blob_in_base64_and_in_json() -> None:
    assert mask(f"license={encoded(LICENSE)};") == "license=...;"
    told = mask(json.dumps({"license": LICENSE, "quoted": 'canary "x" é'}))
    assert "bGljZW5z" not in told
    assert "canary" not in mask(json.dumps('canary "x" é'), registry='canary "x" é')


def test_everyday_words_stay() -> None:
    text = "level=info debug true, port 8080: sesam-node is exited, ax7Q2b -----BEGIN"

    assert mask(text) == text
    assert mask("it is done", environment="A=it\nB=is\nC=done\n") == "it is done"


def test_what_programs_read_stays() -> None:
    event = {"outcome": "done", "words": "all is done", "actions": [{"id": "a-done"}]}

    told = Mask({"registry": "done"}.items()).all_of(event)

    assert told == {"outcome": "done", "words": "all is ...", "actions": [{"id": "a-done"}]}


def test_a_long_run_of_letters_takes_no_time() -> None:
    assert mask("A" * 2_000_000).startswith("AAAA")


def test_what_lies_on_the_machine_is_known(tmp_path: Path) -> None:
    entry = encoded(f"sesamcustomer:{PASSWORD}")
    (tmp_path / ".env").write_text("NODE_DOMAIN=node.example.org\n" + ENVIRONMENT)
    (tmp_path / "license.key").write_text(LICENSE)
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"hub": {"auth": entry}}}))
    paths = {
        "environment": "/.env",
        "license": "/license.key",
        "registry": "/config.json",
        "certificate-key": "/not/there",
    }
    private = {"paths": paths, "public": ["NODE_DOMAIN"]}

    told = Mask(keepsakes(Host(State(str(tmp_path))), private))

    assert told("node.example.org") == "node.example.org"
    for canary in (*CANARIES, entry):
        assert canary not in told(f"x {canary} y")
