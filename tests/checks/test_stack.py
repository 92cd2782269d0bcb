"""The stack, before it runs."""

from __future__ import annotations

import pytest

from sesam_audit.errors import Unknown
from sesam_audit.facts.deployment import Deployment
from sesam_audit.model import Outcome
from sesam_audit.testing import evaluate


def channel(tag: str) -> Deployment:
    return Deployment({"SESAM_NODE_IMAGE_TAG": tag})


def test_the_production_channel() -> None:
    finding = evaluate("stack.image-channel", channel("weekly-prod"))

    assert finding.outcome is Outcome.PASSED


@pytest.mark.parametrize("tag", ["weekly", "nightly", "latest", "Weekly-prod"])
def test_another_channel_is_a_warning(tag: str) -> None:
    finding = evaluate("stack.image-channel", channel(tag))

    assert finding.warning
    assert finding.message.startswith(f"the node's channel is {tag}")


def test_no_channel_is_unknown() -> None:
    assert evaluate("stack.image-channel", Deployment({})).outcome is Outcome.UNKNOWN


def test_unreadable_values_are_unknown() -> None:
    finding = evaluate("stack.image-channel", unknown={Deployment: Unknown("needs root: .env")})

    assert (finding.outcome, finding.reason) == (Outcome.UNKNOWN, "needs root: .env")
