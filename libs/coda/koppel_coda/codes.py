"""Transaction codes: eight digits that classify a movement; ``explain`` gives the words."""

from dataclasses import dataclass

from . import explanations
from .explanations import Language

_REMEMBERED = 10_000
_KNOWN: dict[str, "TransactionCode"] = {}


@dataclass(frozen=True, slots=True)
class CodeExplanation:
    """The four parts of a transaction code in words."""

    type: str
    family: str
    operation: str
    category: str


@dataclass(frozen=True, slots=True)
class TransactionCode:
    """Type (1 digit), family (2), operation (2), category (3)."""

    text: str

    @classmethod
    def of(cls, text: str) -> "TransactionCode":
        """Return the code of eight characters; the same text gives the same object."""
        known = _KNOWN.get(text)
        if known is None:
            known = cls(text)
            if len(_KNOWN) < _REMEMBERED:
                _KNOWN[text] = known
        return known

    @property
    def type(self) -> str:
        """Return how it relates to its details: ``0`` alone, ``1`` a total by the customer … ``9``."""
        return self.text[:1]

    @property
    def family(self) -> str:
        """Return the family, such as ``01`` for credit transfers."""
        return self.text[1:3]

    @property
    def operation(self) -> str:
        """Return the operation within the family."""
        return self.text[3:5]

    @property
    def category(self) -> str:
        """Return what kind of amount it is, such as ``000`` net, ``011`` VAT."""
        return self.text[5:8]

    def explain(self, language: Language = "en") -> CodeExplanation:
        """Return what the code means in ``nl``, ``fr`` or ``en``; an unpublished code is ``unknown``."""
        return CodeExplanation(
            explanations.type_text(self.type, language),
            explanations.family_text(self.family, language),
            explanations.operation_text(self.family, self.operation, language),
            explanations.category_text(self.category, language),
        )
