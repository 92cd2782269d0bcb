"""The names by which people and audits know what an apply left for `finish`."""

KEPT = "sesam-audit-kept-"  # before the name of a container that was put to rest
