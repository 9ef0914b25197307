"""One service in the cluster: its account, its pods, its name on the network, and how many of its pods may be missing."""

from typing import Any, Final

from .catalogue import BROKER_SECRET, IMAGE, PORT, PRE_STOP_S, SHARED, VERSION, Part, labels, selector

USER: Final = 10001
WAIT_FOR_MIGRATION_S: Final = 600
FILES: Final = "/etc/koppel"
POD_SECURITY: Final = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
TMP: Final = {"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}}
TMP_MOUNT: Final = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - a volume of its own: the root is read-only


def objects(part: Part) -> list[dict[str, Any]]:
    """Return everything that one service is in the cluster."""
    return [account(part.name, _component(part)), _service(part), _deployment(part), _budget(part)]


def account(name: str, component: str) -> dict[str, Any]:
    """Return an account that nothing of the cluster is opened to: no pod asks Kubernetes for anything."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": name, "labels": labels(name, component)},
        "automountServiceAccountToken": False,
    }


def pod(name: str, component: str, **spec: Any) -> dict[str, Any]:
    """Return the template of a pod under the restricted standard of pod security."""
    return {
        "metadata": {"labels": labels(name, component)},
        "spec": {
            "serviceAccountName": name,
            "automountServiceAccountToken": False,
            # Else a Service named koppel would set KOPPEL_PORT to an address.
            "enableServiceLinks": False,
            "securityContext": POD_SECURITY,
            **spec,
        },
    }


def from_secret(variable: str, secret: str) -> dict[str, Any]:
    """Return one variable that is read from a Secret under its own name."""
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": variable}}}


def servers_of(secret: str) -> list[dict[str, Any]]:
    """Return the addresses of the two servers, as what migrates or waits for it needs them."""
    return [from_secret("KOPPEL_AMQP_URL", BROKER_SECRET), from_secret("KOPPEL_DATABASE_URL", secret)]


def memory(size: str, cpu: str) -> dict[str, Any]:
    """Return requests, and memory as its own limit: a pod over it is ended before its node runs short."""
    return {"requests": {"cpu": cpu, "memory": size}, "limits": {"memory": size}}


def _component(part: Part) -> str:
    return part.service.kind


def _service(part: Part) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": part.name, "labels": labels(part.name, _component(part))},
        "spec": {
            "type": "ClusterIP",
            "selector": selector(part.name),
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"}],
        },
    }


def _deployment(part: Part) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": part.name, "labels": labels(part.name, _component(part))},
        "spec": {
            "replicas": part.resources.replicas[0],
            "revisionHistoryLimit": 5,
            "minReadySeconds": 5,
            "progressDeadlineSeconds": WAIT_FOR_MIGRATION_S + 300,
            "selector": {"matchLabels": selector(part.name)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": pod(
                part.name,
                _component(part),
                terminationGracePeriodSeconds=part.grace_s,
                topologySpreadConstraints=[
                    _spread(part.name, key) for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
                ],
                initContainers=[_waiting(part)],
                containers=[_container(part)],
                volumes=_volumes(part),
            ),
        },
    }


def _spread(name: str, key: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(name)},
        "matchLabelKeys": ["pod-template-hash"],
    }


def _waiting(part: Part) -> dict[str, Any]:
    return {
        "name": "wait-for-migrations",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["migrate", part.name, "--wait-s", str(WAIT_FOR_MIGRATION_S)],
        "env": servers_of(part.config),
        "resources": memory(part.resources.memory, "50m"),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [TMP_MOUNT],
    }


def _container(part: Part) -> dict[str, Any]:
    names = (SHARED, part.config)
    return {
        "name": part.name,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["serve", part.name],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "envFrom": [
            *({"configMapRef": {"name": name}} for name in names),
            *({"secretRef": {"name": name}} for name in names),
        ],
        "env": [
            from_secret("KOPPEL_AMQP_URL", BROKER_SECRET),
            {"name": "OTEL_RESOURCE_ATTRIBUTES", "value": f"service.version={VERSION}"},
        ],
        "resources": memory(part.resources.memory, part.resources.cpu),
        # Its port is open before its database is there, for which it waits as long as it takes: whoever is alive has started.
        "startupProbe": _probe(part, "live", periodSeconds=2, timeoutSeconds=2, failureThreshold=60),
        # The database has 2 s to answer.
        "readinessProbe": _probe(part, "ready", periodSeconds=5, timeoutSeconds=4, failureThreshold=2),
        "livenessProbe": _probe(part, "live", periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_S}}},
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [TMP_MOUNT, *([_files_mount()] if part.has_files else [])],
    }


def _probe(part: Part, what: str, **times: int) -> dict[str, Any]:
    return {"httpGet": {"path": f"/{part.name}/health/{what}", "port": "http"}, **times}


def _files_mount() -> dict[str, Any]:
    return {"name": "files", "mountPath": FILES, "readOnly": True}


def _volumes(part: Part) -> list[dict[str, Any]]:
    files = {"name": "files", "secret": {"secretName": f"{part.config}-files", "optional": True, "defaultMode": 0o440}}
    return [TMP, *([files] if part.has_files else [])]


def _budget(part: Part) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": part.name, "labels": labels(part.name, _component(part))},
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(part.name)},
        },
    }
