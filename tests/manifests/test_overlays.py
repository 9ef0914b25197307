"""Every overlay renders, and its parts fit each other; each rule finds the fault that it is there for."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
from deploy.kubernetes.generator import database

from koppel_mesh.service import installed_services

from .rendering import FOLDER, OVERLAYS, Object, of_kind, overlay
from .rules import RULES, faults

Fault = Callable[[list[Object]], object]


def first(objects: list[Object], kind: str) -> Any:
    return of_kind(objects, kind)[0]


def container(objects: list[Object]) -> Any:
    return first(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]


def pod(objects: list[Object], kind: str = "Deployment") -> Any:
    return first(objects, kind)["spec"]["template"]["spec"]


def secret(objects: list[Object], name: str) -> Any:
    (found,) = [each for each in of_kind(objects, "ExternalSecret") if each["metadata"]["name"] == name]
    return found["spec"]["target"]["template"]["data"]


PLANTED: dict[str, Fault] = {
    "its selector does not find its pods": lambda it: first(it, "Deployment")["spec"]["selector"]["matchLabels"].update(
        a="b"
    ),
    "its selector finds others' pods": lambda it: first(it, "Deployment")["spec"]["selector"]["matchLabels"].pop(
        "app.kubernetes.io/name"
    ),
    "does not find one workload": lambda it: first(it, "Service")["spec"]["selector"].update(a="b"),
    "its account is not there": lambda it: pod(it).update(serviceAccountName="nobody"),
    "koppel-typo is not there": lambda it: container(it)["envFrom"][0]["configMapRef"].update(name="koppel-typo"),
    "what it scales is not there": lambda it: first(it, "ScaledObject")["spec"]["scaleTargetRef"].update(name="x"),
    "two objects have one name": lambda it: it.append(copy.deepcopy(first(it, "Service"))),
    "is mounted and is no volume": lambda it: pod(it)["volumes"].pop(0),
    "is a volume and is not mounted": lambda it: pod(it)["volumes"].append({"name": "more", "emptyDir": {}}),
    "is no quantity": lambda it: container(it)["resources"]["limits"].update(memory="512MB"),
    "asks for more than its limit": lambda it: container(it)["resources"]["requests"].update(memory="9Gi"),
    "no limit of memory": lambda it: container(it)["resources"].pop("limits"),
    "asks at port htpp": lambda it: container(it)["livenessProbe"]["httpGet"].update(port="htpp"),
    "is none of its pods'": lambda it: first(it, "Service")["spec"]["ports"][0].update(targetPort="web"),
    "a port is out of range": lambda it: container(it)["ports"][0].update(containerPort=80_000),
    "has 2 handlers": lambda it: container(it)["startupProbe"].update(tcpSocket={"port": "http"}),
    "has 0 handlers": lambda it: container(it)["livenessProbe"].pop("httpGet"),
    "readiness and liveness ask the same": lambda it: container(it).update(
        livenessProbe=container(it)["readinessProbe"]
    ),
    "it may run as root": lambda it: pod(it)["securityContext"].update(runAsUser=0),
    "no seccomp profile": lambda it: pod(it)["securityContext"].pop("seccompProfile"),
    "are given to its pods": lambda it: pod(it).pop("enableServiceLinks"),
    "has rights that it does not need": lambda it: container(it)["securityContext"].pop("readOnlyRootFilesystem"),
    "it is killed before it has stopped": lambda it: pod(it).update(terminationGracePeriodSeconds=30),
    "a roll takes pods away": lambda it: first(it, "Deployment")["spec"]["strategy"]["rollingUpdate"].update(
        maxUnavailable=1
    ),
    "restartPolicy is not one of a Job": lambda it: pod(it, "Job").update(restartPolicy="Always"),
    "it may go on, or stay, for ever": lambda it: first(it, "Job")["spec"].pop("ttlSecondsAfterFinished"),
    "one of maxUnavailable and minAvailable": lambda it: first(it, "PodDisruptionBudget")["spec"].update(
        minAvailable=1
    ),
    "no node can be drained": lambda it: first(it, "PodDisruptionBudget")["spec"].update(maxUnavailable=0),
    "the host koppel-database has no namespace": lambda it: secret(it, "koppel-billmail").update(
        KOPPEL_DATABASE_URL="postgresql://billmail:{{ .database_password }}@koppel-database:5432/koppel"
    ),
    "holds no address": lambda it: secret(it, "koppel-billmail").pop("KOPPEL_DATABASE_URL"),
    "is not one of a registry with a version": lambda it: container(it).update(image="registry.example/koppel:latest"),
}


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_has_no_fault(name: str) -> None:
    assert faults(overlay(name)) == []


@pytest.mark.parametrize("said", PLANTED)
def test_a_planted_fault_is_found(said: str) -> None:
    objects = copy.deepcopy(overlay("production"))
    PLANTED[said](objects)
    assert any(said in fault for fault in faults(objects)), faults(objects)


def test_a_longer_drain_than_the_grace_of_pods_is_found_and_the_patch_of_the_page_mends_it() -> None:
    objects = copy.deepcopy(overlay("production"))
    (shared,) = [each for each in of_kind(objects, "ConfigMap") if "koppel-shared" in each["metadata"]["name"]]
    shared["data"]["KOPPEL_SHUTDOWN_GRACE_S"] = "60"
    assert len([fault for fault in faults(objects) if "it is killed before it has stopped" in fault]) == len(
        installed_services()
    )
    page = (FOLDER / "README.md").read_text("utf-8")
    (seconds,) = re.findall(r"terminationGracePeriodSeconds, value: (\d+)}", page)
    assert "KOPPEL_SHUTDOWN_GRACE_S=60" in page
    for each in of_kind(objects, "Deployment"):
        each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = int(seconds)
    assert faults(objects) == []


def test_every_rule_has_a_fault_that_it_finds() -> None:
    finds = set()
    for plant in PLANTED.values():
        objects = copy.deepcopy(overlay("production"))
        plant(objects)
        finds |= {rule.__name__ for rule in RULES if list(rule(objects))}
    assert finds == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_service_has_its_manifest_and_the_reverse(name: str) -> None:
    deployed = {each["metadata"]["name"]: each for each in of_kind(overlay(name), "Deployment")}
    assert set(deployed) == set(installed_services())
    for service, deployment in deployed.items():
        (one,) = deployment["spec"]["template"]["spec"]["containers"]
        assert one["args"] == ["serve", service]
        names = {each["metadata"]["name"] for each in of_kind(overlay(name), "Service")}
        assert names - {database.SERVICE} == set(deployed)


@pytest.mark.parametrize("name", OVERLAYS)
def test_everything_is_in_the_namespace(name: str) -> None:
    places = {each["metadata"].get("namespace") for each in overlay(name) if each["kind"] != "Namespace"}
    assert places == {"koppel"}


def test_a_version_migrates_once_and_its_pods_wait_for_it() -> None:
    (job,) = of_kind(overlay("production"), "Job")
    version = job["metadata"]["labels"]["app.kubernetes.io/version"]
    assert job["metadata"]["name"] == f"migrate-{version.replace('.', '-')}"
    (migrates,) = job["spec"]["template"]["spec"]["containers"]
    assert migrates["args"][0] == "migrate"
    assert "--wait-s" not in migrates["args"]
    for each in of_kind(overlay("production"), "Deployment"):
        (waits,) = each["spec"]["template"]["spec"]["initContainers"]
        assert waits["args"][:2] == ["migrate", each["metadata"]["name"]]
        assert waits["args"][2] == "--wait-s"


def test_what_keda_scales_has_no_number_of_its_own() -> None:
    assert not [each for each in of_kind(overlay("production"), "Deployment") if "replicas" in each["spec"]]
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind(overlay("production"), "ScaledObject")}
    assert scaled == set(installed_services())


def test_where_services_have_roles_the_job_waits_until_an_operator_has_made_them() -> None:
    """A schema that is made before its role belongs to another, and its service is refused for good."""
    for name, waits in (("production", True), ("small", False)):
        (job,) = of_kind(overlay(name), "Job")
        asked = [each for each in job["spec"]["template"]["spec"]["containers"][0]["args"] if "--roles-wait-s=" in each]
        assert bool(asked) == waits == bool(of_kind(overlay(name), "Cluster")), name
        assert all(float(each.partition("=")[2]) < job["spec"]["activeDeadlineSeconds"] for each in asked)
