"""What one kind of incident looks like, from its report to its end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A kind of incident. Texts may name {ward}, {room}, {desk}, {building} and {number}."""

    title: str
    story: str
    service: str
    pair: tuple[str, str | None]
    felt: str
    """who is affected and how badly, as the reporter says it: 'team partly'"""
    fix: str
    code: str = "fixed"
    ask: str = ""
    """'the team's question | the reporter's answer'"""
    via: str = ""
    """'the team it is escalated to | the summary handed over'"""
    wait: str = ""
    """why it is put on hold on the way: 'vendor | what is awaited'"""
    found: str = ""
    """what the team noted while working"""
    risk: str = ""
    often: int = 3
    """how often it comes, against the others"""


def split(text: str) -> tuple[str, str]:
    """The two sides of 'one | other'."""
    left, _, right = text.partition(" | ")
    return left, right
