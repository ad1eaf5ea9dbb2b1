"""Kinds of reports: what each asks besides the two questions, what its answers may be, and how its incidents begin."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from rules import text
from rules.errors import RuleError
from rules.priority import suggested

KINDS = {
    "text": "Words",
    "choice": "One of a list",
    "number": "A number",
    "date": "A date",
    "yes_no": "Yes or no",
}
YES_NO = {"yes": "Yes", "no": "No"}
MOST_QUESTIONS, MOST_OPTIONS, MOST_STEPS = 12, 50, 30
LABEL_LIMIT, HELP_LIMIT, OPTION_LIMIT, STEP_LIMIT, ANSWER_LIMIT = 150, 300, 120, 300, 1000
_KEY_LIMIT = 40
_NUMBER_LIMIT, _LARGEST_NUMBER = 40, 10**15
_FEWEST_OPTIONS = 2
_NEEDED = {
    "text": "Write an answer.",
    "choice": "Choose one from the list.",
    "number": "Give a number.",
    "date": "Choose a date.",
    "yes_no": "Choose yes or no.",
}
_NUMBER = re.compile(r"[+-]?([0-9]{1,3}([ ,.'’][0-9]{3})+|[0-9]+)([.,][0-9]+)?")


@dataclass(frozen=True)
class Question:
    """One question of a template."""

    key: str
    """names its answer; stays the same when the label changes"""
    label: str
    kind: str = "text"
    """key of KINDS"""
    required: bool = False
    options: tuple[str, ...] = ()
    """what a choice offers"""
    help: str = ""

    @property
    def field(self) -> str:
        """The name under which what is wrong with its answer is told."""
        return f"answers.{self.key}"

    def as_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self) | {"options": list(self.options)}


def read(stored: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Stored questions in the order they are asked: those that need an answer first."""
    found = [Question(**{**each, "options": tuple(each["options"])}) for each in stored]
    return tuple(sorted(found, key=lambda question: not question.required))


def questions(given: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Questions as an administrator typed them, checked; new ones get a key made of their label.

    RuleError with `fields`: 'questions' for all of them, 'questions.2.label' for the third one's label.
    """
    if len(given) > MOST_QUESTIONS:
        raise RuleError(f"Ask at most {MOST_QUESTIONS} questions: a report takes a minute.", field="questions")
    wrong: dict[str, str] = {}
    keys = {str(each.get("key") or "") for each in given}
    labels: set[str] = set()
    found = []
    for place, each in enumerate(given):
        try:
            question = _question(each, place, labels, keys)
        except RuleError as error:
            wrong |= error.fields
            continue
        labels.add(question.label.casefold())
        keys.add(question.key)
        found.append(question)
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return tuple(found)


def _question(given: Mapping[str, Any], place: int, labels: set[str], keys: set[str]) -> Question:
    wrong: dict[str, str] = {}
    kind, label, about, options = str(given.get("kind") or "text"), "", "", []
    try:
        label = text.line(given.get("label") or "", "question", LABEL_LIMIT)
        if not label:
            wrong["label"] = "Write the question."
        elif label.casefold() in labels:
            wrong["label"] = "This is asked already. Ask it once."
    except RuleError as error:
        wrong["label"] = error.sentence
    try:
        about = text.line(given.get("help") or "", "hint", HELP_LIMIT)
    except RuleError as error:
        wrong["help"] = error.sentence
    if kind not in KINDS:
        wrong["kind"] = "Choose from the list what kind of answer it takes."
    if kind == "choice":
        try:
            options = _options(given.get("options") or ())
        except RuleError as error:
            wrong["options"] = error.sentence
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields={f"questions.{place}.{name}": wrong[name] for name in wrong})
    key = str(given.get("key") or "") or _key(label, keys)
    return Question(key, label, kind, bool(given.get("required")), tuple(options), about)


def _options(given: Sequence[object]) -> list[str]:
    options = [option for each in given if (option := text.line(each, "answer", OPTION_LIMIT))]
    if len(options) < _FEWEST_OPTIONS:
        raise RuleError("Give two answers or more to choose from, each on its own line.")
    if len(options) > MOST_OPTIONS:
        raise RuleError(f"Give at most {MOST_OPTIONS} answers to choose from; ask for words instead.")
    if len({option.casefold() for option in options}) < len(options):
        raise RuleError("Each answer stands in the list once.")
    return options


def _key(label: str, taken: set[str]) -> str:
    """A name in plain letters for programs: 'Which device?' -> 'which_device'."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    begin = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_KEY_LIMIT].rstrip("_") or "question"
    key, number = begin, 2
    while key in taken:
        key, number = f"{begin}_{number}", number + 1
    return key


def checklist(given: Sequence[object]) -> list[str]:
    """The steps, in order, empty and repeated ones left out. RuleError('checklist')."""
    try:
        steps = [step for each in given if (step := text.line(each, "step", STEP_LIMIT))]
    except RuleError as error:
        raise RuleError(error.sentence, field="checklist") from None
    steps = list(dict.fromkeys(steps))
    if len(steps) > MOST_STEPS:
        raise RuleError(f"Give at most {MOST_STEPS} steps; it has {len(steps)}.", field="checklist")
    return steps


def answers(asked: Sequence[Question], given: Mapping[str, object]) -> list[dict[str, str]]:
    """What is kept of the answers, by key of the question: [{"question", "answer"}], both as they were read.

    Answers to what is not asked are left out. RuleError with `fields` ('answers.' and the key) names all that is wrong.
    """
    wrong: dict[str, str] = {}
    kept = []
    for question in asked:
        value = given.get(question.key)
        try:
            answer = "" if value is None else _READ[question.kind](question, value)
            if question.required and not answer:
                raise RuleError(_NEEDED[question.kind])
        except RuleError as error:
            wrong[question.field] = error.sentence
            continue
        if answer:
            kept.append({"question": question.label, "answer": answer})
    if wrong:
        raise RuleError(" ".join(wrong.values()), fields=wrong)
    return kept


def _words(_question: Question, value: object) -> str:
    return text.line(value, "answer", ANSWER_LIMIT)


def _choice(question: Question, value: object) -> str:
    chosen = text.line(value, "answer", ANSWER_LIMIT)
    if chosen and chosen not in question.options:
        raise RuleError(_NEEDED["choice"])
    return chosen


def _number(_question: Question, value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST_NUMBER:
        return str(value)
    typed = " ".join(value.split()) if isinstance(value, str) else None
    if typed is None or (typed and (len(typed) > _NUMBER_LIMIT or not _NUMBER.fullmatch(typed))):
        raise RuleError("Give a number in digits, such as 12 or 3.5.")
    return typed


def _date(_question: Question, value: object) -> str:
    if isinstance(value, str):
        if not value.strip():
            return ""
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            value = None
    if isinstance(value, datetime):
        value = value.date()
    if not isinstance(value, date):
        raise RuleError("Choose a date, or write it as 2026-05-31.")
    return f"{value.day} {value:%b} {value.year}"


def _yes_no(_question: Question, value: object) -> str:
    if isinstance(value, bool):
        return YES_NO["yes" if value else "no"]
    said = value.strip().lower() if isinstance(value, str) else None
    if said is None or (said and said not in YES_NO):
        raise RuleError(_NEEDED["yes_no"])
    return YES_NO.get(said, "")


_READ = {"text": _words, "choice": _choice, "number": _number, "date": _date, "yes_no": _yes_no}


def as_text(kept: Sequence[Mapping[str, str]]) -> str:
    """The answers as lines to be read and searched."""
    return "\n".join(
        f"{each['question']}{'' if each['question'].endswith(('?', ':', '.')) else ':'} {each['answer']}"
        for each in kept
    )


def levels(
    impact: int | None,
    urgency: int | None,
    scope: str | None,
    effect: str | None,
    service_impact: int | None = None,
) -> tuple[int, int]:
    """(impact, urgency) of a new incident: the template's, or what the reporter's answers suggest.

    What the reporter says can raise the template's level, never lower it: when unsure, take the higher.
    """
    said = suggested(scope, effect, service_impact)
    return _higher(impact, said[0], scope), _higher(urgency, said[1], effect)


def _higher(level: int | None, said: int, answer: str | None) -> int:
    if level is None:
        return said
    return min(level, said) if answer else level
