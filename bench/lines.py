"""Lines of meaning of each connector: what its author had to think out (design §6).

Code lines without imports, docstrings, comments and tables of pure data, such as the profile and the problems. What two
connectors would both write belongs in the kit or in ``libs/bookkeeping``, and this figure shows when it does not.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

SERVICES = Path(__file__).parents[1] / "services"
GOALS = {"connector-exact": 1200, "connector-octopus": 900}
"""A connector without a goal of its own may have as many as Exact, which does the most."""
TABLE_LINES_MIN = 4
"""A shorter constant counts: somebody chose it."""
_LAYOUT = {
    *(tokenize.ENCODING, tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}
_DATA = (
    *(ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.Name, ast.Attribute, ast.Load, ast.Starred, ast.keyword),
    *(ast.Dict, ast.List, ast.Tuple, ast.Set, ast.Call, ast.BinOp, ast.BitOr, ast.UnaryOp, ast.USub),
)


def count() -> dict[str, int]:
    """Return the lines of meaning of every connector."""
    return {
        folder.name: sum(lines_of_meaning(path.read_text("utf-8")) for path in _modules(folder))
        for folder in sorted(path.parents[1] for path in SERVICES.glob("*/*/connector.py"))
    }


def _modules(folder: Path) -> Iterator[Path]:
    yield from (folder / folder.name.replace("-", "_")).rglob("*.py")


def lines_of_meaning(source: str) -> int:
    """Return the lines of meaning of one module."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {line for token in tokens if token.type not in _LAYOUT for line in range(token.start[0], token.end[0] + 1)}
    tree = ast.parse(source)
    left_out = {line for node in (*_imports(tree), *_docstrings(tree), *_tables(tree)) for line in _span(node)}
    return len(code - left_out)


def _imports(tree: ast.Module) -> Iterator[ast.stmt]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def _docstrings(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield every statement that is a string: docstrings, and what documents a field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node


def _tables(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is None or len(_span(node)) < TABLE_LINES_MIN:
            continue
        if all(isinstance(part, _DATA) for part in ast.walk(value)):
            yield node


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
