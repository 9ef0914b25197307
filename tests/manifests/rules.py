"""What a manifest must be, and no schema can say: the parts fit each other, and a roll loses nothing."""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from .rendering import Object, containers, of_kind, workloads

_UNITS: dict[str, int | Decimal] = {
    "": 1,
    "m": Decimal("0.001"),
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
HANDLERS = ("httpGet", "exec", "tcpSocket", "grpc")
Rule = Callable[[list[Object]], Iterator[str]]


def quantity(text: str) -> Decimal:
    """Return the number that a quantity of Kubernetes is.

    Raises:
        ValueError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(m|k|M|G|Ki|Mi|Gi|Ti)?", str(text))
    if match is None:
        raise ValueError(f"{text} is no quantity")
    return Decimal(match[1]) * _UNITS[match[2] or ""]


def faults(objects: list[Object]) -> list[str]:
    """Return every fault of a rendered overlay, in a sentence each."""
    return [fault for rule in RULES for fault in rule(objects)]


def _name(each: Object) -> str:
    return f"{each['kind']} {each['metadata']['name']}"


def _spec(workload: Object) -> Any:
    return workload["spec"]["template"]["spec"]


def _pods(objects: list[Object]) -> list[dict[str, str]]:
    return [workload["spec"]["template"]["metadata"]["labels"] for workload in workloads(objects)]


def _databases(objects: list[Object]) -> list[dict[str, str]]:
    """Return the labels that CloudNativePG gives to the primary of each cluster."""
    names = [each["metadata"]["name"] for each in of_kind(objects, "Cluster")]
    return [{"cnpg.io/cluster": name, "cnpg.io/instanceRole": "primary"} for name in names]


def _matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def selectors_find_their_pods(objects: list[Object]) -> Iterator[str]:
    for each in of_kind(objects, "Deployment"):
        labels = each["spec"]["template"]["metadata"]["labels"]
        wanted = each["spec"]["selector"]["matchLabels"]
        if not _matches(wanted, labels):
            yield f"{_name(each)}: its selector does not find its pods"
        if sum(_matches(wanted, other) for other in _pods(objects)) != 1:
            yield f"{_name(each)}: its selector finds others' pods"
    for each in of_kind(objects, "Service", "PodDisruptionBudget"):
        selector = each["spec"]["selector"]
        found = [*_pods(objects), *_databases(objects)]
        if sum(_matches(selector.get("matchLabels", selector), labels) for labels in found) != 1:
            yield f"{_name(each)}: its selector does not find one workload"


def names_are_of_something(objects: list[Object]) -> Iterator[str]:
    names = {(each["kind"], each["metadata"]["name"]) for each in objects}
    for each in workloads(objects):
        if ("ServiceAccount", _spec(each)["serviceAccountName"]) not in names:
            yield f"{_name(each)}: its account is not there"
        for container in containers(each):
            for source in container.get("envFrom", ()):
                if "configMapRef" in source and ("ConfigMap", source["configMapRef"]["name"]) not in names:
                    yield f"{_name(each)}: {source['configMapRef']['name']} is not there"
    for each in of_kind(objects, "ScaledObject"):
        if ("Deployment", each["spec"]["scaleTargetRef"]["name"]) not in names:
            yield f"{_name(each)}: what it scales is not there"
        for trigger in each["spec"]["triggers"]:
            reference = trigger.get("authenticationRef")
            if reference and ("TriggerAuthentication", reference["name"]) not in names:
                yield f"{_name(each)}: {reference['name']} is not there"
    if len(names) != len(objects):
        yield "two objects have one name"


def mounts_have_volumes(objects: list[Object]) -> Iterator[str]:
    for each in workloads(objects):
        volumes = {volume["name"] for volume in _spec(each).get("volumes", ())}
        mounts = {mount["name"] for container in containers(each) for mount in container.get("volumeMounts", ())}
        yield from (f"{_name(each)}: {name} is mounted and is no volume" for name in sorted(mounts - volumes))
        yield from (f"{_name(each)}: {name} is a volume and is not mounted" for name in sorted(volumes - mounts))


def resources_are_bounded(objects: list[Object]) -> Iterator[str]:
    for each in workloads(objects):
        for container in containers(each):
            asked, limit = container["resources"].get("requests", {}), container["resources"].get("limits", {})
            if {"cpu", "memory"} - asked.keys() or "memory" not in limit:
                yield f"{_name(each)}: {container['name']} has no request, or no limit of memory"
                continue
            try:
                if any(quantity(asked[key]) > quantity(limit[key]) for key in limit):
                    yield f"{_name(each)}: {container['name']} asks for more than its limit"
            except ValueError as error:
                yield f"{_name(each)}: {error}"


def ports_resolve(objects: list[Object]) -> Iterator[str]:
    ports = {}
    for each in workloads(objects):
        named = {port["name"]: port["containerPort"] for one in containers(each) for port in one.get("ports", ())}
        ports[each["metadata"]["name"]] = named
        if not all(0 < number < 65536 for number in named.values()):
            yield f"{_name(each)}: a port is out of range"
        for container in containers(each):
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                asked = container.get(probe, {}).get("httpGet", {}).get("port")
                if asked is not None and asked not in named:
                    yield f"{_name(each)}: {probe} asks at port {asked}, which it does not have"
    for each in of_kind(objects, "Service"):
        is_database = each["spec"]["selector"] in _databases(objects)
        there = [5432] if is_database else ports.get(each["metadata"]["name"], {})
        for port in each["spec"]["ports"]:
            if port["targetPort"] not in there:
                yield f"{_name(each)}: port {port['targetPort']} is none of its pods'"


def probes_are_whole(objects: list[Object]) -> Iterator[str]:
    for each in of_kind(objects, "Deployment"):
        for container in _spec(each)["containers"]:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                handlers = [handler for handler in HANDLERS if handler in container.get(probe, {})]
                if len(handlers) != 1:
                    yield f"{_name(each)}: {probe} has {len(handlers)} handlers"
            if container.get("readinessProbe") == container.get("livenessProbe"):
                yield f"{_name(each)}: readiness and liveness ask the same"


def pods_are_restricted(objects: list[Object]) -> Iterator[str]:
    """The restricted pod security standard, and no token of an account."""
    for each in workloads(objects):
        spec = _spec(each)
        security = spec.get("securityContext", {})
        if not security.get("runAsNonRoot") or security.get("runAsUser", 0) < 10_000:
            yield f"{_name(each)}: it may run as root"
        if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{_name(each)}: no seccomp profile"
        if spec.get("automountServiceAccountToken") is not False or spec.get("enableServiceLinks") is not False:
            yield f"{_name(each)}: a token, or the addresses of services, are given to its pods"
        for container in containers(each):
            own = container.get("securityContext", {})
            wanted = (False, True, ["ALL"])
            given = (
                own.get("allowPrivilegeEscalation"),
                own.get("readOnlyRootFilesystem"),
                own.get("capabilities", {}).get("drop"),
            )
            if given != wanted or own.get("privileged"):
                yield f"{_name(each)}: {container['name']} has rights that it does not need"


def a_stop_fits_its_drain(objects: list[Object]) -> Iterator[str]:
    for each in of_kind(objects, "Deployment"):
        (container,) = _spec(each)["containers"]
        sleep_s = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        maps = {one["metadata"]["name"]: one.get("data") or {} for one in of_kind(objects, "ConfigMap")}
        settings: dict[str, str] = {}
        for source in container["envFrom"]:
            settings |= maps.get(source.get("configMapRef", {}).get("name"), {})
        drain_s = 2 * float(settings.get("KOPPEL_SHUTDOWN_GRACE_S", "25")) + 20
        if not sleep_s > 0 or sleep_s + drain_s > _spec(each)["terminationGracePeriodSeconds"]:
            yield f"{_name(each)}: it is killed before it has stopped"
        strategy = each["spec"]["strategy"]
        if strategy != {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}:
            yield f"{_name(each)}: a roll takes pods away before there are others"


def jobs_end(objects: list[Object]) -> Iterator[str]:
    for each in of_kind(objects, "Job"):
        if _spec(each).get("restartPolicy") not in {"Never", "OnFailure"}:
            yield f"{_name(each)}: restartPolicy is not one of a Job"
        if not {"backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"} <= each["spec"].keys():
            yield f"{_name(each)}: it may go on, or stay, for ever"


def budgets_allow_a_drain(objects: list[Object]) -> Iterator[str]:
    for each in of_kind(objects, "PodDisruptionBudget"):
        if ("maxUnavailable" in each["spec"]) == ("minAvailable" in each["spec"]):
            yield f"{_name(each)}: one of maxUnavailable and minAvailable"
        if str(each["spec"].get("maxUnavailable", "1")) in {"0", "0%"}:
            yield f"{_name(each)}: no node can be drained"


def images_are_named(objects: list[Object]) -> Iterator[str]:
    for each in workloads(objects):
        for container in containers(each):
            image = container["image"]
            if "/" not in image or not re.search(r"@sha256:[0-9a-f]{64}$|:(?!latest$)[\w.-]+$", image):
                yield f"{_name(each)}: the image {image} is not one of a registry with a version"


def keda_finds_what_it_asks(objects: list[Object]) -> Iterator[str]:
    """KEDA runs in a namespace of its own: a host without a namespace is sought there, and nothing is ever scaled."""
    written = {
        each["spec"]["target"]["name"]: each["spec"]["target"]["template"]["data"]
        for each in of_kind(objects, "ExternalSecret")
    }
    for each in of_kind(objects, "TriggerAuthentication"):
        for reference in each["spec"]["secretTargetRef"]:
            value = written.get(reference["name"], {}).get(reference["key"])
            host = re.search(r"@([\w.-]+)[:/]", value or "")
            if host is None:
                yield f"{_name(each)}: {reference['name']} holds no address under {reference['key']}"
            elif not re.search(r"\.[\w-]+\.svc(\.|$)", host[1]):
                yield f"{_name(each)}: the host {host[1]} has no namespace"


RULES: tuple[Rule, ...] = (
    selectors_find_their_pods,
    names_are_of_something,
    mounts_have_volumes,
    resources_are_bounded,
    ports_resolve,
    probes_are_whole,
    pods_are_restricted,
    a_stop_fits_its_drain,
    jobs_end,
    budgets_allow_a_drain,
    images_are_named,
    keda_finds_what_it_asks,
)
