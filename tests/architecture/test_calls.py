"""A service names every service that it calls; the network policies of Kubernetes are made of that list.

Why: a call that no list names works on a laptop and is dropped by the first cluster that denies what was not declared.
"""

import ast
import re
from pathlib import PurePosixPath
from typing import Any

from koppel_mesh.service import installed_services

KIT = "libs/connector-kit"


def called(source: Any, names: set[str]) -> set[str]:
    """Return every service whose path begins a text of that file, such as ``/dossier-api/v1/…``."""
    continued = {
        id(part) for node in ast.walk(source.tree) if isinstance(node, ast.JoinedStr) for part in node.values[1:]
    }
    texts = [
        node.value
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in continued
    ]
    return {match[1] for text in texts if (match := re.match(r"/([a-z-]+)/v1(?:/|$)", text))} & names


def calls_any_connector(source: Any) -> bool:
    """Whether a path of that file begins with the name of a connector that only its data knows."""
    return any(
        isinstance(node, ast.JoinedStr)
        and len(node.values) > 2
        and isinstance(node.values[0], ast.Constant)
        and node.values[0].value == "/"
        and isinstance(node.values[1], ast.FormattedValue)
        and ast.unparse(node.values[1].value).endswith("connector")
        and isinstance(node.values[2], ast.Constant)
        and str(node.values[2].value).startswith("/v1/")
        for node in ast.walk(source.tree)
    )


def test_services_declare_whom_they_call(checkout: Any) -> None:
    services = installed_services()
    for name, service in services.items():
        homes = {f"services/{name}"} | ({KIT} if service.kind == "connector" else set())
        own = [source for source in checkout.shipped if source.distribution in homes]
        found = set().union(*(called(source, set(services)) for source in own)) - {name}
        assert found == set(service.calls), f"{name} calls {sorted(found)}, and says {sorted(service.calls)}"
        assert any(map(calls_any_connector, own)) == service.calls_connectors, name


def test_the_rule_can_fail(source: Any) -> None:
    path, names = PurePosixPath("services/x/x/y.py"), {"identity", "dossier-api"}
    assert called(source(path, 'f"/identity/v1/clients/{id}"'), names) == {"identity"}
    assert called(source(path, '"/dossier-api/v1/problems"'), names) == {"dossier-api"}
    assert not called(source(path, '"see /identity/v1/clients, /nobody/v1/x"'), names)
    assert not called(source(path, 'f"{public_url}/identity/v1/clients"'), names)
    assert calls_any_connector(source(path, 'f"/{row.connector}/v1/deliveries/{row.id}/retry"'))
    assert not calls_any_connector(source(path, 'f"/{row.name}/v1/x"'))
