from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from sesam_audit.level import Level, Outcome
from sesam_audit.model import Finding, Owner
from tests.reports import samples
from tests.reports.formats import json

SCHEMA = Path(json.__file__).with_name("report.schema.json")


def schema() -> Any:
    return msgspec.json.decode(SCHEMA.read_bytes())


def document(name: str = "not-ready") -> Any:
    return msgspec.json.decode(json.render(samples.SAMPLES[name]()))


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", [*samples.SAMPLES])
def test_samples_validate(name: str) -> None:
    jsonschema.Draft202012Validator(schema()).validate(document(name))


@pytest.mark.parametrize("seed", range(60))
def test_generated_reports_validate(seed: int) -> None:
    rendered = json.render(samples.generated(seed))

    jsonschema.Draft202012Validator(schema()).validate(msgspec.json.decode(rendered))


def test_hostile_text_validates_and_is_one_document() -> None:
    rendered = json.render(samples.hostile())

    jsonschema.Draft202012Validator(schema()).validate(msgspec.json.decode(rendered))


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("level", [level.value for level in Level]),
        ("verdict", ["ready", "not-ready", "incomplete", "partial"]),
    ],
)
def test_the_schema_knows_every_word(kind: str, members: list[str]) -> None:
    assert sorted(schema()["$defs"][kind]["enum"]) == sorted(members)


def test_the_schema_knows_every_outcome() -> None:
    outcomes = schema()["$defs"]["finding"]["properties"]["outcome"]["enum"]

    assert sorted(outcomes) == sorted(outcome.value for outcome in Outcome)


def test_the_schema_names_every_owner() -> None:
    words = schema()["$defs"]["finding"]["properties"]["owner"]["description"]

    assert all(owner.value in words for owner in Owner)


@pytest.mark.parametrize("record", ["host", "finding", "flow"])
def test_schema_and_document_have_the_same_keys(record: str) -> None:
    host = document()["hosts"][0]
    shown = host if record == "host" else host[f"{record}s"][0]
    described = schema()["$defs"][record]

    assert [*shown] == [*described["properties"]] == described["required"]


def test_the_keys_of_the_promise_are_there() -> None:
    finding = document()["hosts"][0]["findings"][0]
    promised = (
        "id subject title level outcome message measured required reason remedy source vantage"
        " waiver evidence at seconds"
    )

    assert set(promised.split()) <= set(finding)


def test_every_field_of_a_finding_is_told() -> None:
    finding = document()["hosts"][0]["findings"][0]

    assert set(Finding.__struct_fields__) <= set(finding)


def test_schema_tool_and_verdict_come_first() -> None:
    keys = [*document()]

    assert keys[:2] == ["schema", "tool"]
    assert document()["schema"] == "sesam-audit/report/1"
    assert document()["tool"] == {
        "name": "sesam-audit",
        "version": "0.1.0",
        "requirements": "2026-11-22",
    }


def test_a_pass_tells_what_was_measured_too() -> None:
    findings = {item["id"]: item for item in document("ready")["hosts"][0]["findings"]}
    memory = findings["hardware.memory"]

    assert memory["measured"] == {"value": 33_400_000_000, "unit": "B", "text": "33.4 GB"}
    assert memory["required"] == {"value": 16_000_000_000, "unit": "B", "text": "16 GB"}


def test_an_unreachable_host_tells_its_trouble() -> None:
    host = document("several")["hosts"][2]

    assert host["verdict"] == "incomplete"
    assert "refused" in host["trouble"]
    assert host["remedy"]


def test_no_logging_command_of_a_build_server_survives() -> None:
    rendered = json.render(samples.hostile())

    assert "##vso[" not in rendered
    assert "##vso[" in str(msgspec.json.decode(rendered))


def test_the_same_report_is_the_same_document() -> None:
    assert json.render(samples.not_ready()) == json.render(samples.not_ready())
