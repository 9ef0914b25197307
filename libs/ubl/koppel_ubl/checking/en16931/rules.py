"""The rule set of EN 16931, which the modules beside it fill."""

from koppel_ubl.checking.engine import RuleSet

RULES = RuleSet("en16931")
