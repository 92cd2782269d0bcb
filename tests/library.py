"""Code that a check calls and that is not the check's own."""


def insist() -> None:
    """Assert, as a library might about its own state."""
    assert False, "a library's own trouble"  # noqa: B011, PT015 - what libraries do
