"""Whether the certificates serve this deployment: its name, its chain, its dates."""

from __future__ import annotations

from datetime import datetime

from sesam_audit.errors import Unknown
from sesam_audit.facts.certificates import CertificateFiles, CertificatePair
from sesam_audit.facts.inspection import Inspection, listed
from sesam_audit.facts.leaf import leaf
from sesam_audit.facts.trust import judge_chain, public_roots
from sesam_audit.profile import Profile


def inspect_certificates(
    files: CertificateFiles, domain: str, now: datetime, profile: Profile
) -> Inspection:
    """Judge what Traefik will answer with for the domain; other pairs are noted."""
    found, judged = Inspection(), files.covering(domain) or files.pairs
    for pair in files.pairs:
        own = pair.inspect(now)
        if pair in judged or pair.leaf is None:
            found.problems += own.problems
            found.doubts += own.doubts
        else:
            found.notes += [f"not used for {domain}: {text}" for text in own.problems]
    if not files.covering(domain) and all(pair.leaf for pair in files.pairs):
        names = listed(name for pair in files.pairs if pair.leaf for name in pair.leaf.names)
        found.problem(f"no certificate is for {domain}, only for {names or 'no name at all'}")
    for pair in judged:
        if pair.leaf and profile.certificates == "provided":
            _judge_chain(found, pair, now, profile)
    if profile.certificates == "self-signed":
        found.note("browsers that the portal sends here refuse a self-signed certificate")
    return found


def _judge_chain(found: Inspection, pair: CertificatePair, now: datetime, profile: Profile) -> None:
    roots = public_roots(profile.public_roots)
    trust = judge_chain(pair.chain, "", now, roots)
    rooted = any(
        each and each.subject == each.issuer == trust.issuer for each in map(leaf, pair.chain)
    )
    match trust.word:
        case "incomplete":
            found.problem(f"{pair.path} lacks the certificate of {trust.issuer} that signed it")
        case "expired" | "not-yet-valid" if not pair.inspect(now).problems:
            found.problem(f"a certificate above the first in {pair.path} is outside its dates")
        case "unreadable":
            found.problem(f"{pair.path} holds a certificate that cannot be read")
        case "unknown-issuer" if rooted and len(pair.chain) == 1:
            found.problem(f"{pair.path} is self-signed, but the profile says `provided`")
        case "unknown-issuer" if rooted:
            found.note(f"signed by {trust.issuer}, no public root: every client has to trust it")
        case "unknown-issuer":
            found.doubt(
                Unknown(
                    f"whether the chain in {pair.path} is complete cannot be told: {trust.issuer},"
                    " who signed its last certificate, is no public root; append that"
                    " certificate, or name your own roots with public_roots"
                )
            )


def days_left(files: CertificateFiles, domain: str, now: datetime) -> float:
    """How long the certificates for a name are good, by the one that ends first.

    Raises:
        Unknown: none is for that name.
    """
    ends = [pair.leaf.not_after for pair in files.covering(domain) if pair.leaf]
    if not ends:
        raise Unknown(f"no certificate is for {domain}")
    return (min(ends) - now).total_seconds() / 86_400
