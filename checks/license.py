"""license: a license that is there, whole, the subscription's own, and not at its end."""

from __future__ import annotations

from datetime import timedelta
from shlex import quote

from sesam_audit.errors import Unknown
from sesam_audit.facts.account import SesamUser
from sesam_audit.facts.deployment import Deployment
from sesam_audit.facts.inspection import listed
from sesam_audit.facts.license import HARMLESS, WORDS, License
from sesam_audit.facts.signature import verify
from sesam_audit.judge import Now
from sesam_audit.model import Owner
from sesam_audit.profile import Profile
from sesam_audit.requirement import MUST, SHOULD, Found, requirement

from .unless import unless_public_key

GUIDE = 'Guide, License Key: "Without a valid license the pipes will stop running"'
PORTAL = "Product files: portal API specification (License, LicenseOriginalData)"


@requirement(source=GUIDE, level=MUST, needs=("layout.data-mount",), apply_mends=True)
def check_file(key: License, sesam: SesamUser, found: Found) -> None:
    """license.key lies in the data directory, is not empty, and belongs to sesam.

    Get the license in the Sesam Portal (https://portal.sesam.io), and put it in place; in both
    variants /sesam/node-00/data is the data directory:

        sudo install -o sesam -g sesam -m 0600 license.key /sesam/node-00/data/license.key

    Where only the owner is wrong:

        sudo chown sesam:sesam /sesam/node-00/data/license.key
    """
    path, file = key.path, key.file
    assert not file.missing, f"there is no {path}"
    assert file.kind == "file", f"{path} is a {file.kind}, not a regular file"
    assert not key.blank, f"{path} is empty; was $LICENSE set when it was written?"
    owner = file.user or str(file.uid)
    assert not sesam.exists or file.uid == sesam.uid, f"{path} belongs to {owner}, not to sesam"
    key.read()
    if not sesam.exists:
        command = f"sudo ls -l {quote(path)}"
        raise Unknown(f"{path} belongs to {owner}; there is no user sesam (layout.user)", command)
    found(f"{file.size} bytes, owned by {owner}")


@requirement(
    source="Engineering: the guide's own command leaves the license readable by everybody",
    level=SHOULD,
    needs=("layout.data-mount",),
    apply_mends=True,
)
def check_permissions(key: License, found: Found) -> None:
    """Other users of the machine cannot read the license.

    Keep it to its owner:

        sudo chmod 0600 /sesam/node-00/data/license.key
    """
    if key.file.kind != "file":
        raise Unknown(
            "there is no license to look at (license.file)", f"sudo ls -l {quote(key.path)}"
        )
    mode = f"{key.file.mode:04o}"
    found(f"mode {mode}", required="no access for others")
    assert not key.file.mode & 0o007, f"{key.path} has mode {mode}: every user has access"


@requirement(source=PORTAL, level=MUST, needs=("license.file",), apply_mends=True)
def check_format(key: License, found: Found) -> None:
    """The license is whole, in the form in which the portal gives it out.

    Download the license anew from the Sesam Portal (https://portal.sesam.io), and copy the file
    itself, not text from a window: nothing may be added, cut, wrapped or converted on the way.

        sudo install -o sesam -g sesam -m 0600 license.key /sesam/node-00/data/license.key
    """
    problems = key.read().problems
    for word in HARMLESS.intersection(problems):
        found.note(f"not judged as a fault: {WORDS[word]}")
    faults = [WORDS.get(word, word) for word in problems if word not in HARMLESS]
    assert not faults, f"{key.path}: {listed(faults)}"


@requirement(
    source=f"{GUIDE}; portal API specification: expires",
    level=MUST,
    needs=("license.format",),
    owner=Owner.SUPPORT,
    apply_mends=True,
)
def check_expiry(key: License, now: Now, found: Found) -> None:
    """The license has not expired.

    Get a new license in the Sesam Portal (https://portal.sesam.io) or from Sesam support, and put
    it in place:

        sudo install -o sesam -g sesam -m 0600 license.key /sesam/node-00/data/license.key
    """
    demand = f"after {now:%Y-%m-%d %H:%M} UTC"
    assert found(key.expires, required=demand, words="valid until {}") > now, (
        f"the license expired on {key.expires:%Y-%m-%d %H:%M} UTC"
    )
    found.note("judged by the auditor's clock, not by the host's")


@requirement(
    source="Engineering: 30 days to get a new license",
    level=SHOULD,
    needs=("license.expiry",),
    owner=Owner.SUPPORT,
)
def check_expiry_soon(key: License, now: Now, found: Found) -> None:
    """The license is valid for more than 30 days.

    Get a new license in the Sesam Portal (https://portal.sesam.io) or from Sesam support, and put
    it in place:

        sudo install -o sesam -g sesam -m 0600 license.key /sesam/node-00/data/license.key
    """
    left = key.expires - now
    found(round(left / timedelta(days=1), 1), required="more than 30", unit="days", words="{} left")
    assert left > timedelta(days=30), (
        f"the license expires on {key.expires:%Y-%m-%d}, in {left.days} days"
    )


@requirement(
    source="Engineering: what is signed is not public, so it is judged with your key only",
    level=MUST,
    needs=("license.format",),
    when=unless_public_key,
    owner=Owner.SUPPORT,
)
def check_signature(key: License, profile: Profile) -> None:
    """The license's signature fits the public key of the profile.

    Get the license anew from the Sesam Portal. If it still does not verify, ask Sesam support.
    """
    text = key.read().text
    if not text:
        raise Unknown(
            "saved evidence never holds the license itself, so its signature cannot be judged"
        )
    fits = verify(text, profile.license_public_key.text)
    assert fits, "the license's signature does not fit license_public_key"


@requirement(
    source="Product files: the license's _id is the SUBSCRIPTION_ID of .env",
    level=MUST,
    needs=("license.format",),
    apply_mends=True,
)
def check_subscription(key: License, deployment: Deployment, found: Found) -> None:
    """The license is for the subscription that .env names.

    Get the license of that subscription in the Sesam Portal; or, where .env is wrong, put the
    subscription's id from the portal there as SUBSCRIPTION_ID, and start the stack with it:

        sudoedit /srv/data/.env
        cd /srv/data && sudo docker compose up -d
    """
    wanted = deployment.value("SUBSCRIPTION_ID")
    if not wanted or wanted.startswith("your_"):
        command = "sudo grep SUBSCRIPTION_ID /srv/data/.env"
        raise Unknown("SUBSCRIPTION_ID is not set (layout.env): nothing to compare with", command)
    assert found(key.id, required=wanted, words="for {}") == wanted, (
        f"the license is for {key.id}, but SUBSCRIPTION_ID is {wanted}"
    )
