"""What a sender raises."""


class Undelivered(Exception):
    """The message was not taken. `permanent`: it never will be; `wait`: seconds that the target asked to wait."""

    def __init__(self, sentence: str, *, permanent: bool = False, wait: float | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.permanent = permanent
        self.wait = wait
