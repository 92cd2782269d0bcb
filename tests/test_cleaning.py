"""Foreign text in a log: no terminal and no CI obeys it."""

from __future__ import annotations

import pytest

from sesam_audit.agent_link import Document
from sesam_audit.cleaning import for_a_log, without_orders
from sesam_audit.level import Outcome
from sesam_audit.plan_text import draft_text
from sesam_audit.site import Draft, Stop
from sesam_audit.telling import Teller
from sesam_audit.waiting import until_ready
from tests.reports import samples

ORDERS = (
    "::set-output name=a::b",
    "  ::error::x",
    "##vso[task.complete]",
    "said ##[error]x",
    "##teamcity[buildStatus]",
)


def obeyed(text: str) -> list[str]:
    """The lines that CI would take for an order."""
    return [
        line
        for line in text.splitlines()
        if line.lstrip().startswith("::") or "##[" in line or "##vso[" in line or "##team" in line
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_no_order_is_left(order: str) -> None:
    assert obeyed(order)
    assert not obeyed(for_a_log(f"{order}\nfirst\n{order}"))
    assert not obeyed(without_orders(f"\x1b[1m{order}").replace("\x1b[1m", ""))


def test_what_orders_nothing_stays_as_it_is() -> None:
    plain = "a::b\n# a heading\n## another\n  [::1]:443 and https://a"
    assert for_a_log(plain) == plain


def test_many_empty_lines_take_no_time() -> None:
    assert without_orders("\n" * 200_000) == "\n" * 200_000


def test_no_order_of_a_host_reaches_the_log_of_an_apply(capsys: pytest.CaptureFixture[str]) -> None:
    words = "\n".join(("its last lines:", *ORDERS))
    item: Document = {"title": words, "words": words}
    teller = Teller(quiet=False)
    teller.trouble({"outcome": "failed", "words": words, "next": words})
    teller.event({"event": "begin", "title": words})
    teller.event({"event": "left", "words": words})
    teller.say(words)
    teller.lists({"left": [item], "cannot": [item]})
    teller.outlook("undo", {"run": words, "actions": [item]})
    teller.outlook("undo", {"run": words, "actions": []})

    out, err = capsys.readouterr()
    assert "its last lines:" in out
    assert "its last lines:" in err
    assert not obeyed(out + err)


def test_no_order_of_a_host_stands_beside_a_plan() -> None:
    made = Draft()
    made.stops.append(Stop("a container says:\n\n    ::error::x\n    ##vso[a]b", "\n".join(ORDERS)))

    text = draft_text(made, [], width=80)

    assert "a container says" in text
    assert not obeyed(text.replace("\x1b[1m", ""))


def test_no_order_of_a_host_is_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sesam_audit.waiting._PAUSES", (0.01,))
    found = samples.finding("a", "stack.api", outcome=Outcome.FAILED, message="##vso[a]b")
    said = [samples.report(samples.host(findings=(found,))), samples.report(samples.host())]

    until_ready(lambda: (0, said.pop(0)), 60, quiet=False)

    err = capsys.readouterr().err
    assert "vso[a]b" in err
    assert not obeyed(err)
