"""No float near an amount (design §6).

Why: 0.1 + 0.2 is not 0.3 in binary, and a cent too much is a VAT return that does not add up. Amounts are ``Decimal`` from the
first byte read to the last byte written; seconds and ratios may be floats and say so in their names.
"""

import ast
from pathlib import PurePosixPath
from typing import Any

MONEY_FOLDERS = {"koppel_ubl", "koppel_coda", "koppel_receipts", "koppel_bookkeeping", "pos_ingest", "mapping"}
TIME_SUFFIXES = ("_s", "_ms", "_ratio", "jitter")
READERS = {"loads", "load"}


def handles_money(source: Any) -> bool:
    """Return whether the file reads, maps or stores amounts; the sandbox plays vendors whose amounts are doubles."""
    if source.path.parts[0] == "sandbox":
        return False
    return bool(MONEY_FOLDERS & {*source.path.parts, source.path.stem}) or "decimal" in source.imports()


def offences(source: Any) -> list[str]:
    """Return every float of this file that is not a time."""
    found: list[str] = []
    harmless: set[ast.AST] = set()
    for node in ast.walk(source.tree):
        target = _named(node)
        if (target and target.lower().endswith(TIME_SUFFIXES)) or _refuses_floats(node):
            harmless |= set(ast.walk(node))
    for node in ast.walk(source.tree):
        if node in harmless:
            continue
        if isinstance(node, ast.Name) and node.id == "float":
            found.append(f"{source.path}:{node.lineno} names float")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"{source.path}:{node.lineno} writes {node.value}")
        elif isinstance(node, ast.Call) and _reads_json_with_floats(node):
            found.append(f"{source.path}:{node.lineno} reads JSON without parse_float=Decimal")
    return found


def _named(node: ast.AST) -> str | None:
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name
    if isinstance(node, ast.keyword):
        return node.arg
    target: ast.expr | None = node.target if isinstance(node, ast.AnnAssign) else None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
    return getattr(target, "attr", None) or getattr(target, "id", None)


def _refuses_floats(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"


def _reads_json_with_floats(node: ast.Call) -> bool:
    func = node.func
    reads = isinstance(func, ast.Attribute) and func.attr in READERS and getattr(func.value, "id", "") == "json"
    return reads and not any(keyword.arg == "parse_float" for keyword in node.keywords)


def test_amounts_are_never_floats(checkout: Any) -> None:
    money = [source for source in checkout.shipped if handles_money(source)]
    assert len(money) > 10
    assert [offence for source in money for offence in offences(source)] == []


def test_the_rule_can_fail(source: Any) -> None:
    path = PurePosixPath("libs/ubl/koppel_ubl/x.py")
    for text in ("a = float('1')", "def f(a: float) -> None: ...", "a = b * 0.21", "import json\na = json.loads(b)"):
        assert offences(source(path, text)), text
    for text in (
        "delay_s: float = 0.5",
        "def f(pause_s: float) -> None: ...",
        "a = json.loads(b, parse_float=Decimal)",
    ):
        assert not offences(source(path, text)), text
    assert handles_money(source(path, "")) and handles_money(
        source(PurePosixPath("services/x/x/y.py"), "import decimal")
    )
    assert not handles_money(source(PurePosixPath("services/x/x/y.py"), "import json"))
