"""Who may speak with whom is what services declare, and what is public is what they serve."""

import re
from pathlib import Path

from deploy.kubernetes.generator import database, output
from deploy.kubernetes.generator.catalogue import MIGRATION, SERVICES, callees

from koppel_mesh.service import installed_services
from koppel_mesh.settings import MeshSettings

from .rendering import ROOT, Object, of_kind, overlay

GATEWAY, METRICS = "gateway", "monitoring"


def test_a_service_may_be_called_by_those_that_declare_it_and_by_nobody_else() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind(overlay("production"), "NetworkPolicy")}
    assert policies["default-deny"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [],
        "egress": [],
    }
    services = installed_services()
    for part in SERVICES:
        callers = {
            name for name, one in services.items() if part.name in {*one.calls, "identity"} and name != part.name
        }
        callers |= {"dossier-api"} if part.is_connector else set()
        assert _peers(policies[part.name]["ingress"], "from") == callers | {
            f"namespace {GATEWAY}",
            f"namespace {METRICS}",
        }
        called = _peers(policies[part.name]["egress"], "to") & set(services)
        assert called == set(callees(part, SERVICES))
    assert _peers(policies[MIGRATION]["egress"], "to") == {"koppel-postgres", "koppel-rabbitmq"}


def test_only_those_who_speak_with_the_world_reach_it() -> None:
    reaching = {
        each["metadata"]["name"]
        for each in of_kind(overlay("production"), "NetworkPolicy")
        for rule in each["spec"].get("egress", ())
        if any("ipBlock" in peer for peer in rule.get("to", ()))
    }
    connectors = {service.name for service in installed_services().values() if service.kind == "connector"}
    assert reaching == connectors | {"webhooks", "dossier-api"}
    for each in of_kind(overlay("production"), "NetworkPolicy"):
        for rule in each["spec"].get("egress", ()):
            for block in (peer["ipBlock"] for peer in rule.get("to", ()) if "ipBlock" in peer):
                assert block["except"], "the inside is not the world"


def test_metrics_are_not_public_and_everything_else_is_found_by_its_path() -> None:
    (ingress,) = of_kind(overlay("small"), "Ingress")
    paths = {each["path"]: each["backend"]["service"]["name"] for each in ingress["spec"]["rules"][0]["http"]["paths"]}
    routes = of_kind(overlay("production"), "HTTPRoute")
    of_gateway = {
        match["path"]["value"]: rule["backendRefs"][0]["name"]
        for route in routes
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
    }
    assert paths == of_gateway
    of_all = {path: name for path, name in paths.items() if name != path.split("/")[1]}
    assert of_all == {"/docs": "dossier-api", "/openapi.json": "dossier-api"}
    assert set(paths.values()) == set(installed_services())
    assert {"/identity/oauth", "/identity/.well-known", "/dossier-api/v1", "/pos-ingest/scrada"} <= set(paths)
    assert {f"/{name}/openapi.json" for name in installed_services()} <= set(paths)
    assert not [path for path in paths.keys() - of_all if path.endswith("/metrics") or path.count("/") < 2]


def test_services_find_each_other_by_their_names() -> None:
    (shared,) = [
        each for each in of_kind(overlay("production"), "ConfigMap") if "koppel-shared" in each["metadata"]["name"]
    ]
    inside = shared["data"]["KOPPEL_INTERNAL_URL"]
    settings = MeshSettings(database_url="postgresql://db/koppel", amqp_url="amqp://broker", internal_url=inside)
    named = {
        each["metadata"]["name"]: each["spec"]["ports"][0]["port"]
        for each in of_kind(overlay("production"), "Service")
        if each["metadata"]["name"] != database.SERVICE
    }
    assert {settings.address_of(name) for name in named} == {f"http://{name}" for name in named}
    assert set(named.values()) == {80}
    assert settings.metadata_url == "http://identity/identity/.well-known/openid-configuration"


def test_every_alert_leads_to_its_runbook() -> None:
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    anchors = {title.lower() for title in re.findall(r"^#+ (\w+)$", page, re.MULTILINE)}
    (rule,) = of_kind(overlay("production"), "PrometheusRule")
    links = [each["annotations"]["runbook_url"] for group in rule["spec"]["groups"] for each in group["rules"]]
    assert len(links) > 10
    for link in links:
        address, _, anchor = link.partition("#")
        assert address.endswith("/docs/operating.md")
        assert anchor in anchors, link


def _peers(rules: list[Object], direction: str) -> set[str]:
    found = set()
    for peer in (peer for rule in rules for peer in rule.get(direction, ())):
        selector = peer.get("podSelector", {})
        labels = selector.get("matchLabels", {})
        if "namespaceSelector" in peer:
            found.add(f"namespace {peer['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']}")
        elif labels:
            found.add(labels["app.kubernetes.io/name"])
        elif selector == database.ANY_CLUSTER:
            found.add(database.NAME)
    return found


def test_the_generator_writes_nothing_outside_its_folders() -> None:
    assert {path.parts[0] for path in output.files()} == {"base", "components", "examples"}
    assert not [path for path in output.files() if path.is_absolute() or ".." in Path(path).parts]
