"""What rules and commands raise when something may not be done."""

from collections.abc import Mapping


class RuleError(ValueError):
    """Something a person can put right; `sentence` says how. `fields` maps each field at fault to its own sentence."""

    def __init__(self, sentence: str, field: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.fields: dict[str, str] = dict(fields) if fields else ({field: sentence} if field else {})
