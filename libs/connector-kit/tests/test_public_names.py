"""What a connector's author imports: few names from the top, every other of the contract from one place."""

import importlib
import re
from types import ModuleType

import koppel_connector
from koppel_connector import contract


def modules_named() -> list[ModuleType]:
    names = re.findall(r"^\* ``(\w+)``: ", contract.__doc__ or "", re.MULTILINE)
    return [importlib.import_module(f"koppel_connector.contract.{name}") for name in names]


def test_the_top_holds_what_every_author_needs_and_no_more() -> None:
    assert len(koppel_connector.__all__) <= 26
    assert set(koppel_connector.__all__) <= set(contract.__all__)


def test_the_contract_says_which_module_holds_a_name() -> None:
    held = {name for module in modules_named() for name in contract.__all__ if hasattr(module, name)}
    assert held == set(contract.__all__)
    defined = {
        name
        for module in modules_named()
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    assert defined - set(contract.__all__) == {"ClassifiedAnswer"}, "all but what the kit keeps to itself"
