"""Sentences about one case, where the sentence of a rule is too general."""

from koppel_ubl.report import Sentence

from .table import short

KINDS = {
    "Date": Sentence("een datum JJJJ-MM-DD", "une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
    "Time": Sentence("een tijd UU:MM:SS", "une heure HH:MM:SS", "a time HH:MM:SS"),
    "Indicator": Sentence("true of false", "true ou false", "true or false"),
    "BinaryObject": Sentence("een bijlage in base64", "une annexe en base64", "an attachment in base64"),
}
_NUMBER = Sentence("een getal met een punt", "un nombre avec un point", "a number with a decimal point")


def unknown(tag: str, around: str) -> Sentence:
    """Say that an element does not exist in the one around it."""
    name, outer = short(tag), short(around)
    return Sentence(
        f"{name} bestaat niet in {outer}.", f"{name} n'existe pas dans {outer}.", f"{name} does not exist in {outer}."
    )


def before(tag: str, other_tag: str) -> Sentence:
    """Say that an element must stand before another."""
    name, other = short(tag), short(other_tag)
    return Sentence(
        f"{name} moet vóór {other} staan.", f"{name} doit précéder {other}.", f"{name} must come before {other}."
    )


def missing(tag: str, around: str) -> Sentence:
    """Say that an element lacks another."""
    name, outer = short(tag), short(around)
    return Sentence(f"{name} ontbreekt in {outer}.", f"{name} manque dans {outer}.", f"{name} is missing in {outer}.")


def expected(kind: str) -> Sentence:
    """Say what a value of some kind looks like."""
    what = KINDS.get(kind, _NUMBER)
    return Sentence(f"Dit moet {what.nl} zijn.", f"Il faut ici {what.fr}.", f"This must be {what.en}.")


def unknown_attribute(name: str) -> Sentence:
    """Say that an attribute does not exist at an element."""
    return Sentence(
        f"Het attribuut {name} bestaat hier niet.",
        f"L'attribut {name} n'existe pas ici.",
        f"The attribute {name} does not exist here.",
    )


def missing_attribute(name: str) -> Sentence:
    """Say that an element lacks an attribute."""
    return Sentence(
        f"Het attribuut {name} ontbreekt.", f"L'attribut {name} manque.", f"The attribute {name} is missing."
    )
