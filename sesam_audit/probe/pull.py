"""A pull from Docker Hub, rehearsed, and once more where that may help."""

import contextlib
import time

from .censoring import censored
from .rehearsal import Rehearsal
from .retrying import ended, patience


def pull(ask):
    """What dockerd would do, up to a layer's first bytes; where it ended is told, not why it may.

    The login goes to https://auth.docker.io alone, over TLS that dockerd itself would trust, never
    along a redirect. The token goes to the registry alone. Both, and whatever follows a `?`, stay
    here.
    """
    for tries in (1, 2):
        rehearsal = Rehearsal(ask)
        try:
            with contextlib.ExitStack() as links:
                yield from rehearsal.run(links)
        except Exception as error:
            yield rehearsal.broken(error)
        wait = patience(rehearsal.last, ask["end"]) if tries == 1 else 0
        if not wait:
            return
        first = {"tries": 2, "first": censored(ended(rehearsal.last), rehearsal.secrets)}
        time.sleep(wait)
        yield dict(
            first, error=None, detail="", steps=[], last=None, received=0, sample="", code=""
        )
