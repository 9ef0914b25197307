"""Manifests, the example of the environment and the code agree: each variable is a setting, and each setting can be given."""

import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from deploy.kubernetes.generator import database
from deploy.kubernetes.generator.catalogue import SERVICES, Part, variable

from koppel_mesh.settings import MeshSettings

from .rendering import FOLDER, OVERLAYS, ROOT, Object, containers, environment, of_kind, overlay, render, secrets_of

NOT_OURS = {"TMPDIR", "HOME", "AWS_REGION", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_RESOURCE_ATTRIBUTES"}
"""What Python, obstore and OpenTelemetry read."""
EXAMPLES = {
    "KOPPEL_DATABASE_URL": "postgresql://identity:secret@koppel-database.koppel.svc/koppel?sslmode=require",
    "KOPPEL_AMQP_URL": "amqp://koppel:secret@koppel-rabbitmq/",
    "KOPPEL_SECRET_KEYS": Fernet.generate_key().decode(),
    "KOPPEL_SERVICE_CLIENT_SECRET": "of the services, long enough",
    "KOPPEL_SMTP_URL": "smtp://mail.koppel.example",
}


def variables(settings: type[MeshSettings]) -> set[str]:
    return {variable(name) for name in settings.model_fields}


def main_container(name: str, objects: list[Object]) -> Any:
    (deployment,) = [each for each in of_kind(objects, "Deployment") if each["metadata"]["name"] == name]
    return deployment["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_variable_is_a_setting(name: str) -> None:
    for part in SERVICES:
        given = environment(main_container(part.name, overlay(name)), overlay(name)).keys() - NOT_OURS
        unknown = {each for each in given if not any(each in variables(other.service.settings) for other in SERVICES)}
        assert not unknown, f"{part.name}: no service reads {sorted(unknown)}"
    read = {variable for part in SERVICES for variable in variables(part.service.settings)}
    example = set(re.findall(r"^# (KOPPEL_\w+)=", (ROOT / "deploy/env.example").read_text("utf-8"), re.MULTILINE))
    assert read <= example


def test_every_setting_of_every_service_can_be_given_by_an_overlay(tmp_path: Path) -> None:
    generators = []
    for part in SERVICES:
        lines = [f"{name}=of {part.name}" for name in sorted(variables(part.service.settings) - {"KOPPEL_AMQP_URL"})]
        (tmp_path / f"{part.name}.env").write_text("\n".join(lines))
        generators.append(f"  - {{name: {part.config}, behavior: merge, envs: [{part.name}.env]}}")
    base = Path("../" * len(tmp_path.parts)) / str(FOLDER / "overlays" / "production").lstrip("/")
    (tmp_path / "kustomization.yaml").write_text(
        "\n".join(["namespace: koppel", f"resources: [{base}]", "configMapGenerator:", *generators])
    )
    objects = render(tmp_path)
    for part in SERVICES:
        container = main_container(part.name, objects)
        got = environment(container, objects)
        assert got["KOPPEL_AMQP_URL"].startswith("secret ")
        for name in variables(part.service.settings) - {"KOPPEL_AMQP_URL"}:
            assert got[name] == f"of {part.name}", f"{part.name}: {name}"
        assert secrets_of(container)[:2] == ["koppel-shared", part.config], "secrets come last, and win"


def templates(objects: list[Object]) -> dict[str, dict[str, str]]:
    """Return what External Secrets makes each key of, by the name of the Secret."""
    return {
        each["spec"]["target"]["name"]: each["spec"]["target"]["template"]["data"]
        for each in of_kind(objects, "ExternalSecret")
    }


def secret_keys(objects: list[Object]) -> dict[str, set[str]]:
    """Return the keys that each Secret gets from the store."""
    return {name: set(data) for name, data in templates(objects).items()}


@pytest.mark.parametrize("part", SERVICES, ids=lambda part: part.name)
def test_a_service_starts_in_production_with_what_its_manifest_gives(
    part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = overlay("production")
    container = main_container(part.name, objects)
    given = {name: value for name, value in environment(container, objects).items() if name.startswith("KOPPEL_")}
    keys = secret_keys(objects)
    for secret in secrets_of(container):
        for key, template in templates(objects).get(secret, {}).items():
            given[key] = "" if "index" in template else "secret"  # what the store need not hold is empty
    for name, value in given.items():
        monkeypatch.setenv(name, EXAMPLES.get(name, "an example") if value.startswith("secret") else value)
    settings = part.service.settings()
    assert settings.env == "production"
    assert settings.host == "0.0.0.0"
    assert not [key for key in keys[part.config] if key not in variables(part.service.settings)]


@pytest.mark.parametrize("part", SERVICES, ids=lambda part: part.name)
def test_every_secret_setting_has_its_place_in_a_secret(part: Part) -> None:
    """What had none would be put into a ConfigMap, where whoever may read the namespace reads it."""
    of_service = {
        variable(name) for name, field in part.service.settings.model_fields.items() if "SecretStr" in str(field)
    }
    keys = secret_keys(overlay("production"))
    assert of_service <= keys[part.config] | keys["koppel-shared"]
    assert of_service & {"KOPPEL_SECRET_KEYS", "KOPPEL_SERVICE_CLIENT_SECRET"}


def test_what_the_store_need_not_hold_fails_no_secret_and_what_it_must_hold_does() -> None:
    """External Secrets: ``.NAME`` of a property that is not there is an error, ``index`` gives nothing."""
    for part in SERVICES:
        data = templates(overlay("production"))[part.config]
        assert [key for key in data if data[key] == f"{{{{ .{key} }}}}"] == part.secrets
        assert [key for key in data if f'index . "{key}" | default ""' in data[key]] == part.optional_secrets
    assert not [each for each in of_kind(overlay("production"), "ExternalSecret") if "data" in each["spec"]]


def test_no_secret_stands_in_a_manifest() -> None:
    for name in OVERLAYS:
        assert not of_kind(overlay(name), "Secret")
        for each in of_kind(overlay(name), "ConfigMap"):
            assert not [
                key
                for key in each.get("data", ())
                if re.search("SECRET|PASSWORD|_KEYS|DATABASE_URL|AMQP_URL|SMTP", key)
            ]


def test_the_page_names_every_secret_its_keys_and_where_the_store_has_them() -> None:
    page = (FOLDER / "README.md").read_text("utf-8")
    rows = [[re.findall(r"`([^`]+)`", cell) for cell in row.split("|")[1:4]] for row in page.splitlines() if "|" in row]
    for each in of_kind(overlay("production"), "ExternalSecret"):
        target, entry = each["spec"]["target"], each["spec"]["dataFrom"][0]["extract"]["key"]
        if target["template"]["type"] == "kubernetes.io/basic-auth":
            continue  # made of what another row names
        _, keys, stored = next(row for row in rows if target["name"] in row[0])
        used = re.findall(r"{{ (.*?) }}", " ".join(target["template"]["data"].values()))
        properties = {re.search(r"(\w+)", each.removeprefix("index . "))[1] for each in used}  # type: ignore[index]
        assert entry in stored, target["name"]
        assert set(target["template"]["data"]) <= set(keys), target["name"]
        assert properties <= {*stored, *keys}, target["name"]


def test_no_service_is_given_the_secrets_of_another() -> None:
    for part in SERVICES:
        for each in containers(_deployment(part.name)):
            named = {
                value for value in environment(each, overlay("production")).values() if value.startswith("secret ")
            }
            named |= {f"secret {name}" for name in secrets_of(each)}
            foreign = {f"secret {other.config}" for other in SERVICES if other != part} | {"secret koppel-migrate"}
            assert not named & foreign, part.name


def _deployment(name: str) -> Any:
    (found,) = [each for each in of_kind(overlay("production"), "Deployment") if each["metadata"]["name"] == name]
    return found


def test_the_database_has_a_role_for_each_service() -> None:
    (cluster,) = of_kind(overlay("production"), "Cluster")
    roles = {role["name"]: role for role in cluster["spec"]["managed"]["roles"]}
    assert set(roles) == {part.role for part in SERVICES} | {database.OWNER}
    assert set(roles[database.OWNER]["inRoles"]) == {part.role for part in SERVICES}
    assert {role["passwordSecret"]["name"] for role in roles.values()} <= secret_keys(overlay("production")).keys()


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_finds_connections_while_all_services_roll(name: str) -> None:
    objects = overlay(name)
    scaled = {each["metadata"]["name"]: each["spec"]["maxReplicaCount"] for each in of_kind(objects, "ScaledObject")}
    pods = sum(
        scaled.get(each["metadata"]["name"], each["spec"].get("replicas", 0))
        + each["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        for each in of_kind(objects, "Deployment")
    )
    (shared,) = [each for each in of_kind(objects, "ConfigMap") if "koppel-shared" in each["metadata"]["name"]]
    wanted = pods * int(shared["data"]["KOPPEL_DATABASE_POOL_SIZE"])
    parameters = [each["spec"]["postgresql"]["parameters"] for each in of_kind(objects, "Cluster")]
    allowed = int(parameters[0]["max_connections"]) if parameters else 100  # PostgreSQL's default
    assert pods >= 2 * len(SERVICES)
    assert wanted + 20 <= allowed, "and some for the operator, backups, KEDA and people"
