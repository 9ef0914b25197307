"""Who may import whom (design §6): ``services → connector-kit → bookkeeping → {mesh | ubl, coda}``, ``services → readable
→ ubl``; the formats import none of ours.

Why: a service that imports its neighbour cannot be deployed, tested or understood without it, and a format library that
knows the mesh is not a library. Nobody decides to break this; it happens by one convenient import.
"""

from pathlib import PurePosixPath
from typing import Any

FORMATS = {"koppel_ubl", "koppel_coda", "koppel_receipts"}
MAY_IMPORT = {
    "libs/ubl": set[str](),
    "libs/coda": set[str](),
    "libs/receipts": set[str](),
    "libs/readable": {"koppel_ubl"},
    "libs/mesh": set[str](),
    "libs/client": set[str](),
    "libs/bookkeeping": {"koppel_mesh"} | FORMATS,
    "libs/connector-kit": {"koppel_mesh", "koppel_bookkeeping"} | FORMATS,
    "sandbox": set[str](),
}
SERVICES_MAY_IMPORT = {"koppel_mesh", "koppel_bookkeeping", "koppel_connector", "koppel_readable"} | FORMATS


def packages(sources: list[Any]) -> dict[str, str]:
    """Return the distribution of each package of ours, by import name."""
    found: dict[str, str] = {}
    for source in sources:
        depth = len(source.distribution.split("/"))
        if source.path.name == "__init__.py" and len(source.path.parts) == depth + 2:
            found[source.path.parts[depth]] = source.distribution
    return found


def offences(source: Any, ours: dict[str, str]) -> list[str]:
    """Return each import of ours that this file may not have."""
    if source.path.parts[0] == "deploy":  # it runs all of them, or writes down what they declare
        return []
    if source.distribution.endswith("/sandbox"):
        return _foreign(source, ours, {"koppel_sandbox"})
    allowed = (
        SERVICES_MAY_IMPORT
        if source.distribution.startswith("services/")
        else MAY_IMPORT.get(source.distribution, set())
    )
    return _foreign(source, ours, allowed)


def _foreign(source: Any, ours: dict[str, str], allowed: set[str]) -> list[str]:
    tops = {name.split(".")[0] for name in source.imports()}
    return sorted(
        f"{source.path} imports {top}"
        for top in tops
        if top in ours and ours[top] != source.distribution and top not in allowed
    )


def test_imports_go_one_way(checkout: Any) -> None:
    ours = packages(checkout.shipped)
    assert {"koppel_mesh", "koppel_connector", "koppel_ubl", "dossier_api", "export_scheduler"} <= set(ours)
    assert [offence for source in checkout.shipped for offence in offences(source, ours)] == []


def test_the_rule_can_fail(source: Any) -> None:
    ours = {
        "dossier_api": "services/dossier-api",
        "koppel_mesh": "libs/mesh",
        "connector_exact": "services/connector-exact",
    }
    service = source(PurePosixPath("services/dossier-api/dossier_api/x.py"), "from connector_exact.api import Exact")
    assert offences(service, ours) == ["services/dossier-api/dossier_api/x.py imports connector_exact"]
    assert offences(source(PurePosixPath("libs/ubl/koppel_ubl/x.py"), "import koppel_mesh.ids"), ours)
    assert offences(source(PurePosixPath("libs/mesh/koppel_mesh/x.py"), "def f():\n    import dossier_api"), ours)
    assert not offences(source(PurePosixPath("services/dossier-api/dossier_api/x.py"), "import koppel_mesh"), ours)
    own = ours | {"koppel_sandbox": "sandbox"}
    fake = PurePosixPath("services/connector-exact/sandbox/exact_sandbox/x.py")
    assert not offences(source(fake, "from koppel_sandbox import Sandbox"), own)
    assert offences(source(fake, "import connector_exact"), own)


def httpx(source: Any) -> list[str]:
    """httpx has had no release since 2024; ``httpx2`` is its maintained continuation, and mixing them mixes exceptions."""
    return [f"{source.path} imports {name}" for name in source.imports() if name.split(".")[0] == "httpx"]


def test_httpx_is_not_imported(checkout: Any) -> None:
    assert [offence for source in checkout.sources for offence in httpx(source)] == []


def test_the_httpx_rule_can_fail(source: Any) -> None:
    assert httpx(source(PurePosixPath("x.py"), "import httpx"))
    assert httpx(source(PurePosixPath("x.py"), "from httpx import Client"))
    assert not httpx(source(PurePosixPath("x.py"), "import httpx2"))


KIT = PurePosixPath("libs/connector-kit/koppel_connector")
DOORS = {
    "contract",
    "extension",
    "ledger",
    "mail",
    "notices",
    "odata",
    "refused_questions",
    "service",
    "settings",
    "testing",
    "values",
}
"""What of the kit a connector imports beside the top names, as CONTRIBUTING.md says; ``ledger`` by its modules."""


def past_the_doors(source: Any, modules: set[str]) -> list[str]:
    """Return each import of what the kit keeps to itself; ``modules`` are its modules by full name.

    Why: a connector that imports the place of a name breaks when the kit is tidied; one that imports the kit's insides breaks
    its promises.
    """
    found = sorted(modules & source.imports())
    return [
        f"{source.path} imports {name}"
        for name in found
        if name.split(".")[1] not in DOORS or name.startswith("koppel_connector.contract.")
    ]


def modules_of_kit(checkout: Any) -> set[str]:
    inside = [source.path.relative_to(KIT.parent) for source in checkout.shipped if source.path.is_relative_to(KIT)]
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in inside}
    return names - {KIT.name}


def test_connectors_enter_the_kit_by_its_doors(checkout: Any) -> None:
    modules = modules_of_kit(checkout)
    assert {f"koppel_connector.{door}" for door in DOORS} <= modules
    services = [source for source in checkout.shipped if source.distribution.startswith("services/")]
    assert [offence for source in services for offence in past_the_doors(source, modules)] == []


def test_the_rule_of_doors_can_fail(checkout: Any, source: Any) -> None:
    path, modules = PurePosixPath("services/connector-x/connector_x/x.py"), modules_of_kit(checkout)
    for text in (
        "from koppel_connector.contract.errors import Rejected",
        "from koppel_connector.contract import errors",
        "from koppel_connector.calls.vendor import open_vendor",
        "from koppel_connector import auth",
        "import koppel_connector.kit",
    ):
        assert past_the_doors(source(path, text), modules), text
    for text in (
        "from koppel_connector import Call, values",
        "from koppel_connector.contract import Memory, refusal",
        "from koppel_connector.ledger.documents import read_document",
        "from koppel_connector.settings import ConnectorSettings",
    ):
        assert not past_the_doors(source(path, text), modules), text
