"""The one way in which an action ends without having reached what it wanted."""


class Stop(Exception):
    """What is in the way, in words for a person, and what to do next."""

    def __init__(self, words: str, step: str = "", kind: str = "failed") -> None:
        super().__init__(words)
        self.words = words
        self.step = step
        self.kind = kind  # "failed", or "changed": the machine is not as the plan was made for
