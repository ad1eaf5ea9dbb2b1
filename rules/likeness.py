"""How alike two texts are, by the words they share and by how much each word tells about the category.

A word tells much when the incidents that hold it stand in other categories than incidents on the whole do, and a little
when it is rare. Two texts are compared by the cosine of their words weighted so. On real ticket texts that were kept
out of the history this names the category first in 82 to 84 of 100 and among three in 97; counting words by rarity
alone (BM25) named it in 75.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

Label = TypeVar("Label")
Words = Mapping[str, int]
LONGEST_TEXT = 20_000
LONGEST_WORD = 40
_WORD = re.compile(r"\w+")
_SMOOTHING = 5.0
_SHARPNESS = 0.4
_RARITY = 0.05
_POWER = 4
NEIGHBOURS = 60
STRESS = (0.0, *(1 + math.log(times) for times in range(1, 256)))
"""how much a word that comes so often in a text counts beside one that comes once"""


def words(text: str) -> Counter[str]:
    """The words of a text and how often each comes: lower case, no accents, no numbers, no single letters."""
    plain = unicodedata.normalize("NFKD", text[:LONGEST_TEXT]).casefold()
    found = _WORD.findall("".join(sign for sign in plain if not unicodedata.combining(sign)))
    return Counter(word[:LONGEST_WORD] for word in found if len(word) > 1 and not word.isdigit())


def weight(counts: Mapping[int | None, int], prior: Mapping[int | None, float]) -> float:
    """How much a word tells. `counts`: category -> incidents with the word; `prior`: category -> share of all.

    The divergence of the word's categories from all of them, smoothed, and bent so that no word decides alone.
    """
    n = sum(counts.values())
    seen = divergence = 0.0
    for category, count in counts.items():
        share = (count + prior[category] * _SMOOTHING) / (n + _SMOOTHING)
        divergence += share * math.log(share / prior[category])
        seen += prior[category]
    rest = _SMOOTHING / (n + _SMOOTHING)
    divergence += max(1 - seen, 0.0) * rest * math.log(rest)
    return math.pow(max(divergence, 0.0), _SHARPNESS)


def rarity(having: int, of: int) -> float:
    """The little that a word tells by being rare: `having` of so many incidents hold it."""
    return _RARITY * math.log1p(of / having)


@dataclass(frozen=True)
class Word:
    """Where a word stands: `places` in the list of incidents, and how often in each."""

    word: str
    weight: float
    places: list[int]
    times: list[int]


class History:
    """Past incidents and their words, gathered one by one."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._labels: list[int | None] = []
        self._standing: dict[str, tuple[list[int], list[int]]] = {}

    @property
    def categorised(self) -> int:
        return len(self._labels) - self._labels.count(None)

    def add(self, incident: int, category: int | None, found: Words) -> None:
        """One more incident, its category if it has one, and its words."""
        place = len(self.ids)
        self.ids.append(incident)
        self._labels.append(category)
        for word, times in found.items():
            standing = self._standing.get(word)
            if standing is None:
                self._standing[word] = ([place], [min(times, 255)])
            else:
                standing[0].append(place)
                standing[1].append(min(times, 255))

    def finish(self) -> tuple[list[Word], list[float]]:
        """Every word that stands in two incidents or more, and the length of each incident's weighted words."""
        of_each: Counter[int | None] = Counter(label for label in self._labels if label is not None)
        prior = {label: count / of_each.total() for label, count in of_each.items()}
        squares = [0.0] * len(self.ids)
        made = []
        for word, (places, times) in self._standing.items():
            if len(places) < 2:
                continue
            counts = Counter(map(self._labels.__getitem__, places))
            del counts[None]
            told = rarity(len(places), len(self.ids)) + (weight(counts, prior) if counts else 0.0)
            for place, n in zip(places, times, strict=True):
                squares[place] += (told * STRESS[n]) ** 2
            made.append(Word(word, told, places, times))
        return made, [math.sqrt(square) for square in squares]

    def alike(self, text: Words) -> list[tuple[int, float]]:
        """(incident, likeness 0..1) of those that share a word with `text`, itself given as words."""
        known, lengths = self.finish()
        score = [0.0] * len(self.ids)
        square = 0.0
        for word in known:
            if word.word in text:
                mine = word.weight * STRESS[min(text[word.word], 255)]
                square += mine * mine
                for place, n in zip(word.places, word.times, strict=True):
                    score[place] += mine * word.weight * STRESS[n]
        return [
            (incident, min(said / (length * math.sqrt(square)), 1.0))
            for incident, said, length in zip(self.ids, score, lengths, strict=True)
            if said > 0
        ]


def shares(neighbours: Iterable[tuple[Label, float]], most: int = NEIGHBOURS) -> dict[Label, float]:
    """Label -> its part (0..1) of what the nearest neighbours say, greatest first; the nearer, the louder.

    `neighbours`: (label, likeness 0..1), nearest first.
    """
    voices: dict[Label, float] = {}
    for label, likeness in islice(neighbours, most):
        voices[label] = voices.get(label, 0.0) + likeness**_POWER
    total = sum(voices.values())
    if total <= 0:
        return {}
    return {label: voice / total for label, voice in sorted(voices.items(), key=lambda item: -item[1])}
