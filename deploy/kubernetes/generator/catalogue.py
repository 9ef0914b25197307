"""The services, as the manifests need to know them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, get_args

from fastapi.routing import APIRoute
from pydantic import SecretStr

from koppel_connector.mail.settings import IMAP_PORTS, SMTP_PORTS
from koppel_mesh.database import schema_of
from koppel_mesh.http.server import routers_of
from koppel_mesh.service import Service, installed_services
from koppel_mesh.settings import MeshSettings

VERSION: Final = version("koppel-local")
IMAGE: Final = "koppel"
"""The name that an overlay's ``images`` replaces by a registry, and a digest."""
NAMESPACE: Final = "koppel"
PORT: Final = int(MeshSettings.model_fields["port"].default)
SHARED: Final = "koppel-shared"
"""The ConfigMap, and the Secret, that every service reads."""
SHARED_SECRETS: Final = ("KOPPEL_SECRET_KEYS", "KOPPEL_SERVICE_CLIENT_SECRET")
DISPENSABLE: Final = {("connector-octopus", "KOPPEL_SMTP_URL"), ("webhooks", "KOPPEL_SMTP_URL")}
"""Octopus is mailed to only where its API refuses files, and owners of endpoints also see a problem."""
BROKER_SECRET: Final = "koppel-broker"  # noqa: S105 - its name
"""Holds ``KOPPEL_AMQP_URL`` alone: RabbitMQ's operator makes one of its own, which the component ``rabbitmq`` names instead."""
MIGRATION: Final = "migrate"
STORES_BYTES: Final = "dossier-api"
"""The one service that opens ``KOPPEL_BLOB_URL``."""
SHOWS_ALL: Final = "dossier-api"
"""Every process shows the calls of every service; this one is in every cluster, while identity may be left out."""
SHOWN: Final = ("/docs", "/openapi.json")
HTTPS: Final = 443
MAIL_PORTS: Final = {"smtp_url": SMTP_PORTS, "imap_url": IMAP_PORTS}
VENDOR: Final = "_base_url"
"""How the setting that holds a vendor's address ends."""
EXAMPLE: Final = Path(__file__).parents[3] / "deploy" / "env.example"

PRE_STOP_S: Final = 5
"""Until every proxy has heard that a pod gets no requests any more."""
MARGIN_S: Final = 20
"""Beyond twice the grace of loops: sending the outbox, closing (docs/operating.md, "Stopping")."""


@dataclass(frozen=True)
class Resources:
    """What a pod asks for. Memory is also its limit; processor time has none, for it is only shared out unused."""

    cpu: str
    memory: str
    replicas: tuple[int, int] = (2, 4)
    """The fewest, for a roll and a lost node, and the most."""


RESOURCES: Final[Mapping[str, Resources]] = {
    # A scrypt hash for each token takes 16 MiB for a moment (128 bytes x cost x block), and several may come at once.
    "identity": Resources("100m", "384Mi"),
    # Reads, checks and keeps whole documents of up to KOPPEL_BODY_LIMIT_BYTES, several at a time.
    "dossier-api": Resources("500m", "1Gi", (2, 8)),
    # Rows only.
    "export-scheduler": Resources("100m", "256Mi"),
    # Reads statements, which are small; one dossier is arranged at a time.
    "connector-coda": Resources("100m", "384Mi"),
    # Sets PDFs of closed periods, and takes thousands of tickets in one request.
    "pos-ingest": Resources("250m", "768Mi", (2, 6)),
    # Holds up to KOPPEL_WEBHOOK_CONNECTIONS connections, each with its buffers.
    "webhooks": Resources("250m", "512Mi", (2, 6)),
}
CONNECTOR_RESOURCES: Final = Resources("250m", "512Mi", (2, 4))
"""KOPPEL_WORKERS connections at once, each with a document. Few pods: vendors limit calls per company, not per pod."""


@dataclass(frozen=True)
class Part:
    """One service, and what follows from its value."""

    service: Service

    @property
    def name(self) -> str:
        """Its name; also that of its Deployment, Service and ServiceAccount."""
        return self.service.name

    @property
    def role(self) -> str:
        """The schema that it owns, and the role that it connects as."""
        return schema_of(self.name)

    @property
    def config(self) -> str:
        """The ConfigMap, and the Secret, of its own settings."""
        return f"koppel-{self.name}"

    @property
    def resources(self) -> Resources:
        """What its pods ask for."""
        return CONNECTOR_RESOURCES if self.is_connector else RESOURCES[self.name]

    @property
    def is_connector(self) -> bool:
        """Whether it has the tables of the kit."""
        return self.service.kind == "connector"

    @property
    def grace_s(self) -> int:
        """How long a pod may take to stop: longer than its drain can last."""
        return PRE_STOP_S + 2 * int(self._default("shutdown_grace_s")) + MARGIN_S + 5

    @property
    def environment(self) -> dict[str, str]:
        """Settings of its own that its resources rest on, written out beside them; an overlay adds any other."""
        return {"KOPPEL_WORKERS": str(self._default("workers"))} if self.is_connector else {}

    @property
    def has_files(self) -> bool:
        """Whether a setting names a file, so that its Secret ``…-files`` is mounted where there is one."""
        return any(Path in _types(field.annotation) for field in self.service.settings.model_fields.values())

    @property
    def secrets(self) -> list[str]:
        """The secret settings of its own that it cannot do its work without, but for the database's address."""
        needed = {
            line.split("=")[0].removeprefix("# ")
            for line in EXAMPLE.read_text("utf-8").splitlines()
            if line.startswith("# KOPPEL_") and "(!)" in line
        }
        unneeded = {name for service, name in DISPENSABLE if service == self.name}
        return sorted(self._own_secrets & needed - unneeded)

    @property
    def optional_secrets(self) -> list[str]:
        """The secret settings of its own that it also does without; no ConfigMap is the place for them."""
        return sorted(self._own_secrets - set(self.secrets))

    @property
    def _own_secrets(self) -> set[str]:
        fields = self.service.settings.model_fields
        return {variable(name) for name, field in fields.items() if SecretStr in _types(field.annotation)} - set(
            SHARED_SECRETS
        )

    @property
    def outward_ports(self) -> list[int]:
        """Ports of the world that it calls: its vendor's, its mail servers', its receivers'."""
        fields = self.service.settings.model_fields
        ports: set[int] = set()
        if any(name.endswith(VENDOR) for name in fields):
            ports.add(HTTPS)
        for setting, table in MAIL_PORTS.items():
            if setting in fields:
                ports |= {port for security, port in table.items() if security != "none"}
        if "webhook_ports" in fields:
            ports |= set(self._default("webhook_ports"))
        return sorted(ports)

    @cached_property
    def public_paths(self) -> list[str]:
        """What callers from outside may ask for, by first and second segment: everything but its metrics."""
        routes = [
            route for router in routers_of(self.service) for route in router.routes if isinstance(route, APIRoute)
        ]
        seconds = {route.path.split("/")[1] for route in routes} | {"health", "openapi.json"}
        shown = SHOWN if self.name == SHOWS_ALL else ()
        return [*shown, *(f"/{self.name}/{second}" for second in sorted(seconds))]

    def _default(self, name: str) -> Any:
        return self.service.settings.model_fields[name].get_default(call_default_factory=True)


def variable(field: str) -> str:
    """Return the environment variable of a setting."""
    return f"KOPPEL_{field.upper()}"


def _types(annotation: Any) -> set[Any]:
    inner = get_args(annotation)
    return {annotation} | {found for each in inner for found in _types(each)}


def callees(part: Part, parts: "tuple[Part, ...]") -> list[str]:
    """Return the services that it calls: what it declares, every connector where it says so, and identity for tokens."""
    connectors = {each.name for each in parts if each.is_connector} if part.service.calls_connectors else set()
    return sorted(({"identity", *part.service.calls} | connectors) - {part.name})


def labels(name: str, component: str) -> dict[str, str]:
    """Return the labels that everything of one part has."""
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "koppel",
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/version": VERSION,
        "app.kubernetes.io/managed-by": "kustomize",
    }


def selector(name: str) -> dict[str, str]:
    """Return the labels by which its pods are found, which never change."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "koppel"}


SERVICES: Final = tuple(Part(service) for service in installed_services().values())
