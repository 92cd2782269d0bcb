"""What changed between two reports in the firewall evidence, connection by connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from sesam_audit.cleaning import clean_fields

FIELDS = {
    "name": "name",
    "need": "need",
    "result": "result",
    "addresses_v4": "IPv4",
    "addresses_v6": "IPv6",
    "proxy": "proxy",
    "tls_version": "TLS",
    "issuer": "issuer",
    "sha256": "sha256",
}
"""What is compared of a connection, each with its word for people; neither times nor latencies."""

Key = tuple[str, str, int, str, str, str, int]


class SavedFlow(Struct, frozen=True, kw_only=True):
    """The part of a connection that is compared."""

    rule: str
    name: str
    vantage: str
    context: str
    port: int = 0
    consumer: str = ""
    subject: str = ""
    need: str = ""
    result: str = ""
    addresses_v4: tuple[str, ...] = ()
    addresses_v6: tuple[str, ...] = ()
    proxy: str = ""
    tls_version: str = ""
    issuer: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        clean_fields(self)

    def told(self, field: str) -> str:
        """One field as text; addresses come in any order."""
        value = getattr(self, field)
        return ", ".join(sorted(value)) if isinstance(value, tuple) else str(value)


class FlowDifference(Struct, frozen=True):
    """One connection that is not as it was; one side is None where it is new or gone."""

    old: SavedFlow | None
    new: SavedFlow | None

    @property
    def known(self) -> SavedFlow:
        """The connection, by its later side."""
        found = self.new or self.old
        assert found is not None  # noqa: S101 - one of them is always there
        return found

    @property
    def change(self) -> str:
        return "gone" if self.new is None else "new" if self.old is None else "changed"

    @property
    def fields(self) -> tuple[tuple[str, str, str], ...]:
        """What differs: the field, what it was, what it is."""
        if self.old is None or self.new is None:
            return ()
        told = ((name, self.old.told(name), self.new.told(name)) for name in FIELDS)
        return tuple(each for each in told if each[1] != each[2])


def flow_differences(
    old: Sequence[SavedFlow], new: Sequence[SavedFlow]
) -> tuple[FlowDifference, ...]:
    """Connections by rule, name, vantage and context, in the order of the reports."""
    before, after = dict(_keyed(old)), dict(_keyed(new))
    pairs = (FlowDifference(before.get(key), after.get(key)) for key in {**before, **after})
    return tuple(each for each in pairs if each.change != "changed" or each.fields)


def _keyed(flows: Iterable[SavedFlow]) -> Iterator[tuple[Key, SavedFlow]]:
    """Each under what tells it apart: its subject, which stays when its name is another."""
    seen: Counter[tuple[str, str, int, str, str, str]] = Counter()
    for each in flows:
        about = each.subject or each.name
        key = (each.rule, about, each.port, each.vantage, each.context, each.consumer)
        seen[key] += 1
        yield (*key, seen[key]), each
