"""No module imports, by any way round, a module that imports it (design §6: no circles, not even for types).

Why: modules in a circle are one module cut into pieces: none of them can be read, tested or moved without the others, and
the order in which Python happens to load them decides whether they load at all.

What counts as an import, read from the source without running it:

* every ``import`` and ``from … import`` of the file, also in a function and under ``if TYPE_CHECKING``;
* ``from package import name`` is an import of the module ``name`` where there is one, else of the package's ``__init__``;
* with a module Python runs the ``__init__`` of each package that it lies in, so these count too – except the packages that
  the importing module lies in itself: they are being loaded already.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

IN_CIRCLES: dict[str, int] = {}
"""How many modules of a package are in circles today. The numbers are exact: mend some, and lower the number here."""

FACADES = ("koppel_ubl.checking.engine",)
"""Packages that others use through their ``__init__`` only: behind it they can change without a look at who uses them."""

Graph = Mapping[str, set[str]]


def modules(sources: list[Any]) -> dict[str, Any]:
    """Return the source of each module of ours by its full name: of what is importable as a package."""
    folders = {source.path.parent for source in sources if source.path.name == "__init__.py"}
    found = {}
    for source in sources:
        folder = source.path.parent
        while folder in folders:
            folder = folder.parent
        if folder != source.path.parent:
            parts = source.path.relative_to(folder).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = source
    return found


def graph(sources: list[Any]) -> Graph:
    """Return for each module of ours which others it imports."""
    ours = modules(sources)
    return {name: set(_imported(name, source, ours)) - {name} for name, source in ours.items()}


def _imported(importer: str, source: Any, ours: Mapping[str, Any]) -> Iterator[str]:
    around = {importer, *_packages(importer)}
    for name in _named(importer, source, ours):
        if name in ours:
            yield name
            yield from (package for package in _packages(name) if package in ours and package not in around)


def _named(importer: str, source: Any, ours: Mapping[str, Any]) -> Iterator[str]:
    """Give every module that the source names, the relative ones by their full name."""
    package = importer if source.path.name == "__init__.py" else importer.rpartition(".")[0]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in ours else base


def _packages(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def circles(graph: Graph) -> list[list[str]]:
    """Return the modules that can reach one another, group by group (Tarjan's strongly connected components)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        waiting.append(name)
        for other in sorted(graph[name]):
            if other not in number:
                visit(other)
            if other in waiting:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == number[name]:
            group = waiting[waiting.index(name) :]
            del waiting[waiting.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(graph):
        if name not in number:
            visit(name)
    return found


def bypassed(graph: Graph, facade: str) -> list[str]:
    """Return every import of what is inside a package by a module outside it."""
    inside = f"{facade}."
    outside = {name: found for name, found in graph.items() if name != facade and not name.startswith(inside)}
    return sorted(
        f"{name} imports {other}" for name, found in outside.items() for other in found if other.startswith(inside)
    )


def test_no_module_is_in_a_circle(checkout: Any) -> None:
    found = circles(graph(checkout.shipped))
    count = Counter(name.partition(".")[0] for circle in found for name in circle)
    shown = "\n".join(" ".join(circle) for circle in found)
    assert dict(count) == IN_CIRCLES, f"Modules in circles (where there are fewer now, lower IN_CIRCLES):\n{shown}"


def test_facades_are_not_bypassed(checkout: Any) -> None:
    found = graph(checkout.shipped)
    assert set(FACADES) <= set(found)
    assert [offence for facade in FACADES for offence in bypassed(found, facade)] == []


def test_every_package_is_looked_at(checkout: Any) -> None:
    found = graph(checkout.shipped)
    packages = {name.partition(".")[0] for name in found}
    assert {
        "koppel_ubl",
        "koppel_coda",
        "koppel_mesh",
        "koppel_connector",
        "koppel_sandbox",
        "koppel_local",
    } <= packages
    assert {"dossier_api", "export_scheduler", "connector_exact", "identity"} <= packages
    assert "koppel_mesh" in {name.partition(".")[0] for name in found["dossier_api.service"]}


def test_the_rule_can_fail(source: Any) -> None:
    def in_circles(files: dict[str, str]) -> list[list[str]]:
        return circles(graph([source(PurePosixPath(f"libs/x/{name}.py"), text) for name, text in files.items()]))

    package = {"p/__init__": "", "p/a": ""}
    for text in (
        "from . import a",
        "from .a import A",
        "import p.a",
        "def f():\n    from p.a import A",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import A",
    ):
        assert in_circles(package | {"p/a": "from .b import B", "p/b": text}) == [["p.a", "p.b"]], text
        assert not in_circles(package | {"p/b": text}), text
    # Through a package's __init__: whoever imports from it loads all that it imports.
    inner = {"p/__init__": "", "p/q/__init__": "from .c import C", "p/q/c": "from p.a import A"}
    assert in_circles(inner | {"p/a": "from p.q import C"}) == [["p.a", "p.q", "p.q.c"]]
    assert in_circles(inner | {"p/a": "from p.q.d import D", "p/q/d": ""}) == [["p.a", "p.q", "p.q.c"]]
    assert in_circles({"p/__init__": "from .a import A", "p/a": "from p import A"}) == [["p", "p.a"]]
    assert not in_circles({"p/__init__": "from .a import A", "p/a": "from . import b", "p/b": ""})


def test_a_bypass_is_found(source: Any) -> None:
    files = {
        "p/__init__": "",
        "p/q/__init__": "from .c import C",
        "p/q/c": "",
        "p/a": "from .q import C",
        "p/b": "from .q import c",
    }
    found = graph([source(PurePosixPath(f"libs/x/{name}.py"), text) for name, text in files.items()])
    assert bypassed(found, "p.q") == ["p.b imports p.q.c"]
