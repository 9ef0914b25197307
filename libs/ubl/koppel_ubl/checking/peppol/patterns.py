"""The rule set of Peppol BIS Billing, and its patterns: those for all documents, and those for each country's documents.

Within a pattern only the first context that applies to an element judges it. The patterns stand in the order of the official
rules; findings of countries come in this order, after those of all documents.
"""

from koppel_ubl.checking.engine import DocumentContext, RuleSet, normalised

RULES = RuleSet("peppol")
PROJECT = RULES.pattern()
EVERYTHING = RULES.pattern()
CODES = RULES.pattern()

GREEK = frozenset({"GR", "EL"})


def is_dutch(country: str) -> bool:
    """Return whether a country, as written in an address, is the Netherlands."""
    return normalised(country).upper() == "NL"


def _is_of_greece(context: DocumentContext) -> bool:
    return context.supplier_country in GREEK or context.supplier_own_country in GREEK


def _is_within_greece(context: DocumentContext) -> bool:
    return context.supplier_country in GREEK and context.customer_country in GREEK


NORWAY = RULES.pattern(lambda context: context.supplier_country == "NO")
DENMARK = RULES.pattern(lambda context: context.supplier_address_country == "DK")
ITALY = RULES.pattern(lambda context: context.supplier_country == "IT")
SWEDEN = RULES.pattern(lambda context: context.supplier_address_country == "SE")
GREECE = RULES.pattern(_is_of_greece)
WITHIN_GREECE = RULES.pattern(_is_within_greece)
ICELAND = RULES.pattern(lambda context: context.supplier_address_country == "IS")
NETHERLANDS = RULES.pattern(lambda context: is_dutch(context.supplier_address_country))
GERMANY = RULES.pattern(lambda context: context.is_between("DE"))
