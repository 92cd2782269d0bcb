"""One ask and what is known of its answer."""

import time

from .faults import fault
from .settling import CALM
from .threads import CHANGED
from .vocabulary import LOOKS, answering


class Question:
    """One ask and what is known of its answer: a thread writes it, the round reads it."""

    def __init__(self, ask, last):
        self.ask, self.last = dict(ask, began=time.monotonic()), last
        self.known, self.done = {}, False

    def work(self):
        """Let the ask's function answer: it returns the answer, or yields it part by part."""
        if self.done:
            return
        if self.ask["ask"] in LOOKS:
            CALM.wait(3)
        try:
            answer = answering(self.ask["ask"])
            self.ask["began"] = time.monotonic()
            found = answer(self.ask)
            for part in [found] if isinstance(found, dict) else found:
                self.enter(part)
        except Exception as error:
            self.enter(fault(error, self.ask["ask"]))
        self.enter({}, done=True)

    def enter(self, part, done=False):
        with CHANGED:
            self.known = dict(self.known, **part, seconds=self.seconds())
            self.done = done
            CHANGED.notify_all()

    def snapshot(self):
        if self.done:
            return self.known
        return dict(self.known, error="TIMEOUT", seconds=self.seconds())

    def seconds(self):
        return round(time.monotonic() - self.ask["began"], 4)
