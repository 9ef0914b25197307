"""The database made anew from a backup: in its place, reached by whoever reached the first, and named by one patch."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.kubernetes.generator.catalogue import MIGRATION
from deploy.kubernetes.generator.database import CLUSTER, NAME, RESTORED

from koppel_mesh.service import installed_services

from .policies import allows
from .rendering import FOLDER, ROOT, Object, of_kind, overlay, render
from .rules import faults

PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
SECTION = re.search(r"^### Setting the database back\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLE = FOLDER / "examples" / "restored-postgres.yaml"
POSTGRES = 5432
INSTANCE = {CLUSTER: RESTORED, "cnpg.io/instanceRole": "primary"}
"""What a pod of the restored cluster is found by; those that restore it have the first of the two."""


def example() -> list[Object]:
    return list(yaml.safe_load_all(EXAMPLE.read_text("utf-8")))


@pytest.fixture
def switched(tmp_path: Path) -> list[Object]:
    """Return the overlay as it is after one more line under its components."""
    up = "../" * len(tmp_path.parts) + str(FOLDER).lstrip("/")
    for file in (FOLDER / "overlays" / "production").iterdir():
        (tmp_path / file.name).write_text(file.read_text("utf-8").replace("../../", f"{up}/"))
    kustomization = tmp_path / "kustomization.yaml"
    listed = yaml.safe_load(kustomization.read_text("utf-8"))
    listed["components"].append(f"{up}/components/restored-postgres")
    kustomization.write_text(yaml.safe_dump(listed))
    return render(tmp_path)


def test_it_is_made_where_its_secrets_are_and_has_backups_of_its_own() -> None:
    cluster, backup = example()
    assert {each["metadata"]["namespace"] for each in (cluster, backup)} == {"koppel"}
    assert backup["spec"]["cluster"]["name"] == cluster["metadata"]["name"] == RESTORED
    named = {role["passwordSecret"]["name"] for role in cluster["spec"]["managed"]["roles"]}
    made = {each["spec"]["target"]["name"] for each in of_kind(overlay("production"), "ExternalSecret")}
    assert named <= made
    reads, writes = cluster["spec"]["externalClusters"][0]["barmanObjectStore"], cluster["spec"]["backup"]
    assert reads["serverName"] == NAME != writes["barmanObjectStore"]["serverName"]


def test_whoever_reaches_the_first_cluster_reaches_it_in_both_directions() -> None:
    policies = of_kind(overlay("production"), "NetworkPolicy")
    for name in (*installed_services(), MIGRATION):
        pod = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "koppel"}
        for instance in (INSTANCE, INSTANCE | {CLUSTER: NAME}):
            assert allows(policies, "egress", pod, instance, POSTGRES), name
            assert allows(policies, "ingress", instance, pod, POSTGRES), name
    for port in (POSTGRES, 8000):  # its instances follow each other, and ask each other how they are
        assert allows(policies, "egress", INSTANCE, INSTANCE, port)
        assert allows(policies, "ingress", INSTANCE, INSTANCE, port)
    stranger = {"app.kubernetes.io/name": "stranger"}
    assert not allows(policies, "ingress", INSTANCE, stranger, POSTGRES)
    assert not allows(policies, "egress", stranger, INSTANCE, POSTGRES)


def test_one_component_leads_every_address_to_it(switched: list[Object]) -> None:
    addresses = {
        value
        for each in of_kind(switched, "ExternalSecret")
        for key, value in each["spec"]["target"]["template"]["data"].items()
        if key == "KOPPEL_DATABASE_URL"
    }
    hosts = {re.search(r"@([\w.-]+):5432/", address)[1] for address in addresses}  # type: ignore[index]
    assert len(addresses) == len(installed_services()) + 1
    (host,) = hosts
    (service,) = [each for each in of_kind(switched, "Service") if host == f"{each['metadata']['name']}.koppel.svc"]
    assert service["spec"]["selector"] == INSTANCE
    assert faults([*switched, *example()]) == []
    assert not of_kind(switched, "Cluster", "ScheduledBackup"), "the first is not made again once it is deleted"


def test_the_address_leads_to_the_first_cluster_until_then() -> None:
    (service,) = [each for each in of_kind(overlay("production"), "Service") if CLUSTER in each["spec"]["selector"]]
    assert service["spec"]["selector"] == INSTANCE | {CLUSTER: NAME}


def test_the_page_names_what_there_is() -> None:
    assert SECTION is not None
    text = SECTION[1]
    moment: Any = example()[0]["spec"]["bootstrap"]["recovery"]["recoveryTarget"]["targetTime"]
    assert f"s/{moment}/" in text
    store = example()[0]["spec"]["backup"]["barmanObjectStore"]
    assert f"s|{store['destinationPath']}|" in text
    assert f"s|{store['endpointURL']}|" in text
    for path in re.findall(r"deploy/kubernetes/[\w./-]+|\.\./\.\./components/[\w-]+", text):
        place = FOLDER / "overlays" / "production" / path if path.startswith("..") else ROOT / path
        assert place.exists(), path
    assert f"cluster/{RESTORED}" in text
    # Only KEDA's own annotation stops what KEDA scales: a number given by hand is set back to its minimum.
    assert "annotate scaledobject --all autoscaling.keda.sh/paused-replicas=0" in text
    assert "autoscaling.keda.sh/paused-replicas-" in text
    kind = "app.kubernetes.io/component"
    kinds = {each["metadata"]["labels"][kind] for each in of_kind(overlay("production"), "Deployment")}
    assert f"{kind} in ({','.join(sorted(kinds))})" in text
