from __future__ import annotations

import pytest

from tests.reports.formats import remedy

Block = remedy.Block
FULL = "This line is as long as the margin of a docstring allows, so that the next word has no"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Add memory.", [Block("Add memory.")]),
        (f"{FULL}\nmore of it.", [Block(f"{FULL} more of it.")]),
        (f"{FULL}.\nAnother.", [Block(f"{FULL}."), Block("Another.")]),
        (f"{FULL}\nRHEL: another.", [Block(FULL), Block("RHEL: another.")]),
        ("There was room.\nfor more.", [Block("There was room."), Block("for more.")]),
        ("Ubuntu:\nsudo apt install x", [Block("Ubuntu:"), Block("sudo apt install x", code=True)]),
        (f"{FULL}\nsudo chown a:a /b", [Block(FULL), Block("sudo chown a:a /b", code=True)]),
        ("sudo a (never b).", [Block("sudo a (never b).")]),
        ("docker info shows it. Look.", [Block("docker info shows it. Look.")]),
        ("First.\n\nSecond.", [Block("First."), Block("Second.")]),
        ("Type:\n\n    sudo a\n    sudo b", [Block("Type:"), Block("sudo a\nsudo b", code=True)]),
        ("Type:\n  a\nand then\n  b", [
            Block("Type:"), Block("a", code=True), Block("and then"), Block("b", code=True)
        ]),
        ("Run: sudo ls -l /x", [Block("sudo ls -l /x", code=True)]),
        ("$ sudo a", [Block("sudo a", code=True)]),
        ("Either:\n- this,\n  no\n- that.", [
            Block("Either:"), Block("- this,"), Block("no", code=True), Block("- that.")
        ]),
        ("1. this\n2. that", [Block("1. this"), Block("2. that")]),
    ],
)  # fmt: skip
def test_a_remedy_is_prose_and_lines_to_type(text: str, expected: list[Block]) -> None:
    assert list(remedy.blocks(text)) == expected
