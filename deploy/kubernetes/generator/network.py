"""Who may speak with whom: nobody, but what a service declares that it calls, and the servers it cannot do without.

``Service.calls`` is the list; ``tests/architecture/test_calls.py`` compares it with the code.
"""

from collections.abc import Sequence
from typing import Any, Final

from .broker import ITS_PODS as BROKER
from .catalogue import HTTPS, MIGRATION, PORT, STORES_BYTES, Part, callees, labels, selector
from .database import ANY_CLUSTER as DATABASE
from .database import PORT as POSTGRES

AMQP, AMQPS, OTLP = 5672, 5671, 4318
NAMESPACES: Final = {
    "dns": "kube-system",
    "gateway": "gateway",
    "monitoring": "monitoring",
    "telemetry": "observability",
    "scaling": "keda",
    "postgres operator": "cnpg-system",
    "broker operator": "rabbitmq-system",
}
"""Where a cluster keeps what reaches us, or is reached: change the names in an overlay's patch where yours differ."""
WORLD: Final = [
    {
        "ipBlock": {
            "cidr": "0.0.0.0/0",
            "except": [
                "10.0.0.0/8",
                "100.64.0.0/10",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "172.16.0.0/12",
                "192.168.0.0/16",
            ],
        }
    },
    {"ipBlock": {"cidr": "::/0", "except": ["::1/128", "fc00::/7", "fe80::/10"]}},
]
"""Everything but private, shared, loopback and link-local networks: no detour into the inside, nor to a cloud's metadata."""
Policy = dict[str, Any]


def default_policies() -> list[Policy]:
    """Return what holds for every pod of the namespace: nothing in, nothing out, but questions to the DNS."""
    dns = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    to_dns = {"to": [{**_namespace("dns"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}], "ports": dns}
    return [
        _policy("default-deny", {}, ingress=[], egress=[]),
        _policy("allow-dns", {}, egress=[to_dns]),
    ]


def service_policies(parts: tuple[Part, ...]) -> list[Policy]:
    """Return one for each service, and one for the Job that migrates."""
    servers = [_to([DATABASE], POSTGRES), _to([BROKER], AMQP, AMQPS)]
    job = _policy(MIGRATION, _labelled(selector(MIGRATION)), ingress=[], egress=servers)
    return [*(_service_policy(part, parts, servers) for part in parts), job]


def _service_policy(part: Part, parts: tuple[Part, ...], servers: list[dict[str, Any]]) -> Policy:
    callers = [_labelled(selector(each.name)) for each in parts if part.name in callees(each, parts)]
    ingress: list[dict[str, Any]] = [{"from": [_namespace("gateway"), _namespace("monitoring")], "ports": _ports(PORT)}]
    if callers:
        ingress.insert(0, {"from": [_pods(each) for each in callers], "ports": _ports(PORT)})
    egress = [*servers, {"to": [_namespace("telemetry")], "ports": _ports(OTLP)}]
    if called := callees(part, parts):
        egress.insert(0, _to([_labelled(selector(name)) for name in called], PORT))
    outward = part.outward_ports or ([HTTPS] if part.name == STORES_BYTES else [])
    if outward:
        egress.append({"to": WORLD, "ports": _ports(*outward)})
    return _policy(part.name, _labelled(selector(part.name)), ingress=ingress, egress=egress)


def asking_policies(name: str, parts: tuple[Part, ...]) -> list[Policy]:
    """Return those of a pod that is none of a service and asks every service: its way out, and the way in at each."""
    pods = _labelled(selector(name))
    services = {
        "matchExpressions": [
            {"key": "app.kubernetes.io/name", "operator": "In", "values": [part.name for part in parts]}
        ]
    }
    return [
        _policy(name, pods, ingress=[], egress=[_to([services], PORT)]),
        _policy(f"{name}-asks", services, ingress=[{"from": [_pods(pods)], "ports": _ports(PORT)}]),
    ]


def server_policies(parts: tuple[Part, ...]) -> list[Policy]:
    """Return those of the database and the broker where they run beside us; they match nothing where they do not."""
    clients = [_pods(_labelled(selector(name))) for name in (*(part.name for part in parts), MIGRATION)]
    return [
        _policy(
            "koppel-postgres",
            DATABASE,
            ingress=[
                {"from": [*clients, _namespace("scaling"), _pods(DATABASE)], "ports": _ports(POSTGRES)},
                {"from": [_namespace("postgres operator"), _pods(DATABASE)], "ports": _ports(8000)},
                {"from": [_namespace("monitoring")], "ports": _ports(9187)},
            ],
            # The API server has no label, and backups go to a store by HTTPS.
            egress=[_to([DATABASE], POSTGRES, 8000), {"ports": _ports(HTTPS, 6443)}],
        ),
        _policy(
            "koppel-rabbitmq",
            BROKER,
            ingress=[
                {"from": clients, "ports": _ports(AMQP, AMQPS)},
                {"from": [_pods(BROKER)], "ports": _ports(4369, 25672)},
                {"from": [_namespace("broker operator")], "ports": _ports(15672, 15671)},
                {"from": [_namespace("monitoring")], "ports": _ports(15692)},
            ],
            egress=[_to([BROKER], 4369, 25672), {"ports": _ports(HTTPS, 6443)}],
        ),
    ]


def _policy(name: str, pods: dict[str, Any], **directions: list[dict[str, Any]]) -> Policy:
    spec: dict[str, Any] = {"podSelector": pods}
    spec["policyTypes"] = [direction.capitalize() for direction in directions]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": labels(name, "network")},
        "spec": spec | directions,
    }


def _to(pods: Sequence[dict[str, Any]], *ports: int) -> dict[str, Any]:
    return {"to": [_pods(each) for each in pods], "ports": _ports(*ports)}


def _pods(selected: dict[str, Any]) -> dict[str, Any]:
    return {"podSelector": selected}


def _labelled(matched: dict[str, str]) -> dict[str, Any]:
    return {"matchLabels": matched}


def _namespace(what: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACES[what]}}}


def _ports(*numbers: int) -> list[dict[str, Any]]:
    return [{"port": number, "protocol": "TCP"} for number in numbers]
