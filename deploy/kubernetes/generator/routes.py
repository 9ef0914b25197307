"""The way in: by the first segment of the path, under TLS, to all that callers may ask for. Metrics stay inside."""

from typing import Any, Final

from .catalogue import Part, labels

HOST: Final = "koppel.example"
"""Stands for the host of ``KOPPEL_PUBLIC_URL``; an overlay patches it."""
CERTIFICATE: Final = "koppel-tls"
BODY_LIMIT: Final = "26m"
"""A little over KOPPEL_BODY_LIMIT_BYTES, so that the refusal is ours and says what it is about."""


def ingress(parts: tuple[Part, ...]) -> dict[str, Any]:
    """Return the Ingress, for a cluster that has no Gateway API."""
    paths = [
        {
            "path": path,
            "pathType": "Prefix",
            "backend": {"service": {"name": part.name, "port": {"name": "http"}}},
        }
        for part in parts
        for path in part.public_paths
    ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "koppel",
            "labels": labels("koppel", "ingress"),
            "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": BODY_LIMIT},
        },
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": [HOST], "secretName": CERTIFICATE}],
            "rules": [{"host": HOST, "http": {"paths": paths}}],
        },
    }


def gateway() -> dict[str, Any]:
    """Return the Gateway that ends TLS."""
    listener = {
        "name": "https",
        "hostname": HOST,
        "port": 443,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": CERTIFICATE}]},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "koppel", "labels": labels("koppel", "gateway")},
        "spec": {"gatewayClassName": "standard", "listeners": [listener]},
    }


def http_routes(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Return one route for each service."""
    return [
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": part.name, "labels": labels(part.name, "gateway")},
            "spec": {
                "parentRefs": [{"name": "koppel", "sectionName": "https"}],
                "hostnames": [HOST],
                "rules": [
                    {
                        "matches": [{"path": {"type": "PathPrefix", "value": path}} for path in part.public_paths],
                        "backendRefs": [{"name": part.name, "port": 80}],
                    }
                ],
            },
        }
        for part in parts
    ]
