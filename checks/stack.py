"""The stack: what it runs, as far as that shows before it runs."""

from __future__ import annotations

from sesam_audit.errors import Unknown
from sesam_audit.facts.deployment import Deployment
from sesam_audit.requirement import SHOULD, Found, requirement


@requirement(
    source="Product files: .env ships SESAM_NODE_IMAGE_TAG=weekly-prod; guide, Introduction:"
    " “Self hosted subscriptions are required to run the latest image of their chosen software"
    " channel”",
    level=SHOULD,
)
def check_image_channel(deployment: Deployment, found: Found) -> None:
    """The node runs from the channel for production, weekly-prod.

    On a test machine another channel may be what you want. In production, put weekly-prod there as
    SESAM_NODE_IMAGE_TAG and start the stack with it:

        sudoedit /srv/data/.env
        cd /srv/data && sudo docker compose up -d
    """
    tag = deployment.value("SESAM_NODE_IMAGE_TAG")
    if not tag:
        raise Unknown("SESAM_NODE_IMAGE_TAG is not set (layout.env)", "cat /srv/data/.env")
    assert found(tag, required="weekly-prod", words="the channel {}") == "weekly-prod", (
        f"the node's channel is {tag}, weekly-prod is the one for production"
    )
