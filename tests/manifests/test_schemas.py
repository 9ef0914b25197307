"""Strict schemas: of the newest Kubernetes for its own kinds; of the operators' own definitions for theirs (make oracle).

The schemas are the stand-in for an API server, which nothing here has: admission, defaulting and what controllers do with the
objects is not checked.
"""

import copy
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from .rendering import FOLDER, OVERLAYS, ROOT, Object, of_kind, overlay

VERSION = kubernetes_validate.latest_version()
GROUPS = ("v1", "apps/v1", "batch/v1", "policy/v1", "networking.k8s.io/v1")
"""The groups of Kubernetes itself that we use."""
UNCHECKED = ("gateway.networking.k8s.io/v1",)
"""No definitions of it are at hand."""
DEFINITIONS = Path(os.environ.get("KOPPEL_SHARED", ROOT.parent / "shared")) / "artefacts" / "crds"


def strict(each: Object) -> None:
    kubernetes_validate.validate(each, VERSION, strict=True)


@pytest.mark.parametrize("name", OVERLAYS)
def test_kinds_of_kubernetes_are_as_its_newest_version_wants_them(name: str) -> None:
    own = [each for each in overlay(name) if each["apiVersion"] in GROUPS]
    assert len(own) > 40
    for each in own:
        strict(each)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Deployment", lambda it: it["spec"]["template"]["spec"].update(terminationGracePeriod=60)),
        ("Service", lambda it: it["spec"]["ports"][0].update(port="eighty")),
        ("NetworkPolicy", lambda it: it["spec"].update(policyTypes="Ingress")),
        ("PodDisruptionBudget", lambda it: it["spec"].pop("selector") and it["spec"].update(selectors={})),
    ],
)
def test_a_planted_fault_of_shape_is_found(kind: str, change: Callable[[Any], object]) -> None:
    each = copy.deepcopy(of_kind(overlay("production"), kind)[0])
    strict(each)
    change(each)
    with pytest.raises(kubernetes_validate.ValidationError):
        strict(each)


@cache
def definitions() -> dict[tuple[str, str], Any]:
    """Return a closed JSON schema for each version and kind that the operators define."""
    found = {}
    for file in sorted(DEFINITIONS.glob("*.yaml")):
        for each in yaml.safe_load_all(file.read_text("utf-8")):
            if each and each["kind"] == "CustomResourceDefinition":
                for version in each["spec"]["versions"]:
                    group = f"{each['spec']['group']}/{version['name']}"
                    schema = closed(version["schema"]["openAPIV3Schema"])
                    schema["properties"]["metadata"] = {"type": "object"}
                    found[group, each["spec"]["names"]["kind"]] = schema
    return found


def closed(schema: Any) -> Any:
    """Return a schema of Kubernetes as JSON Schema, in which no object takes a property that it does not name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        return {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made


def of_operators(name: str) -> list[Object]:
    restored = yaml.safe_load_all((FOLDER / "examples" / "restored-postgres.yaml").read_text("utf-8"))
    return [each for each in [*overlay(name), *restored] if each["apiVersion"] not in (*GROUPS, *UNCHECKED)]


def check(each: Object) -> None:
    schema = definitions()[each["apiVersion"], each["kind"]]
    jsonschema.Draft202012Validator(schema).validate(each)


@pytest.mark.oracle
def test_kinds_of_operators_are_as_their_definitions_want_them() -> None:
    found = of_operators("production")
    kinds = {each["kind"] for each in found}
    assert {"Cluster", "ScheduledBackup", "RabbitmqCluster", "ScaledObject", "TriggerAuthentication"} <= kinds
    assert {"ServiceMonitor", "PodMonitor", "PrometheusRule", "ExternalSecret"} <= kinds
    for each in found:
        check(each)


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Cluster", lambda it: it["spec"].update(instances=0)),
        ("Cluster", lambda it: it["spec"]["managed"].update(rolls=[])),
        ("ScheduledBackup", lambda it: it["spec"].pop("schedule")),
        ("RabbitmqCluster", lambda it: it["spec"].update(replicas=-1)),
        ("ScaledObject", lambda it: it["spec"].update(triggers={})),
        ("ScaledObject", lambda it: it["spec"]["triggers"][0].pop("metadata")),
        ("TriggerAuthentication", lambda it: it["spec"]["secretTargetRef"][0].update(secret="x")),
        ("ServiceMonitor", lambda it: it["spec"].update(endpoint=it["spec"].pop("endpoints"))),
        ("PrometheusRule", lambda it: it["spec"]["groups"][0]["rules"][0].pop("expr")),
        ("ExternalSecret", lambda it: it["spec"].update(refreshInterval=1)),
    ],
)
def test_a_planted_fault_in_an_operators_kind_is_found(kind: str, change: Callable[[Any], object]) -> None:
    each = copy.deepcopy(of_kind(overlay("production"), kind)[0])
    check(each)
    change(each)
    with pytest.raises(jsonschema.ValidationError):
        check(each)
