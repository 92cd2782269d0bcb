"""Sizes: how they are written by people and shown to them."""

from __future__ import annotations

import re

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:([kKMGT])(i?)B|B)?", re.ASCII)
_LARGEST = 2**63


class Size(int):
    """A number of bytes, shown in decimal units as the guide writes them (16 GB = 16 x 10^9)."""

    __slots__ = ()

    def __str__(self) -> str:
        for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
            if abs(self) >= 1000**power:
                # Never rounded up: 15.99 GB beside "16 GB required" must not read 16 GB.
                tenths = int(abs(self) * 10 // 1000**power)
                sign = "-" if self < 0 else ""
                return f"{sign}{tenths // 10}.{tenths % 10}".removesuffix(".0") + f" {unit}"
        return f"{int(self)} B"

    @classmethod
    def parse(cls, text: str | int) -> Size:
        """Read bytes, "16 GB" (10^9) or "16 GiB" (2^30).

        Raises:
            ValueError: not a size.
        """
        from decimal import Decimal

        match = _SIZE.fullmatch(str(text).strip()[:100])
        power = " KMGT".index((match[2] or " ").upper()) if match else 0
        size = Decimal(match[1]) * (1024 if match[3] else 1000) ** power if match else None
        if size is None or size > _LARGEST:
            raise ValueError(f"{text!r:.100} is not a size such as 16000000000, '16 GB', '16 GiB'")
        return cls(size)
