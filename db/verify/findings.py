"""What a check found: sentences that name the place, and how many there are."""

from dataclasses import dataclass, field

SHOWN = 50
"""findings that are told; the others are counted"""


@dataclass
class Findings:
    """What is wrong, in the order in which it was found."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, sentence: str) -> None:
        """One more thing that is wrong."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(sentence)
