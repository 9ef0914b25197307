"""What an operator chooses stands in the `.env` files of an overlay, and no example's value stays in what is rendered."""

import re
from pathlib import Path

import pytest
import yaml

from .rendering import FOLDER, OVERLAYS, ROOT, Object, of_kind, overlay, render

PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")
CHOSEN = {
    "https://koppel.example": "https://books.chosen",
    "https://koppel.office.example": "https://books.chosen",
    "@koppel.example": "@mail.chosen",
    "@koppel.office.example": "@mail.chosen",
    "GATEWAY_CLASS=standard": "GATEWAY_CLASS=chosen",
    "s3://koppel-backups/postgres": "s3://chosen-backups/postgres",
    "https://s3.eu-central-1.amazonaws.com": "https://s3.chosen",
    "PAGES_HOST=koppel.example": "PAGES_HOST=pages.chosen",
    "s3://koppel-documents": "s3://chosen-documents",
    "AWS_REGION=eu-central-1": "AWS_REGION=chosen",
    "collector.observability": "collector.chosen",
    "00000000-0000-0000-0000-000000000000": "chosen",
}


def chosen(name: str, folder: Path) -> list[Object]:
    """Render an overlay in whose `.env` files everything was chosen; nothing else of it is edited."""
    up = "../" * len(folder.parts) + str(FOLDER).lstrip("/")
    for file in (FOLDER / "overlays" / name).iterdir():
        text = file.read_text("utf-8").replace("../../", f"{up}/")
        if file.suffix == ".env":
            for example, choice in CHOSEN.items():
                text = text.replace(example, choice)
        (folder / file.name).write_text(text)
    return render(folder)


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_choice_reaches_every_place_of_it(name: str, tmp_path: Path) -> None:
    objects = chosen(name, tmp_path)
    assert "choices" not in {each["metadata"]["name"] for each in objects}
    text = yaml.safe_dump_all(objects)
    left = set(
        re.findall(r"[\w.@:/-]*(?:koppel(?:\.office)?\.example|koppel-backups|koppel-documents|eu-central-1)\S*", text)
    )
    assert not left
    hosts = {each["hostname"] for one in of_kind(objects, "Gateway") for each in one["spec"]["listeners"]}
    hosts |= {host for one in of_kind(objects, "HTTPRoute") for host in one["spec"]["hostnames"]}
    hosts |= {rule["host"] for one in of_kind(objects, "Ingress") for rule in one["spec"]["rules"]}
    hosts |= {host for one in of_kind(objects, "Ingress") for tls in one["spec"]["tls"] for host in tls["hosts"]}
    assert hosts == {"books.chosen"}
    for gateway in of_kind(objects, "Gateway"):
        assert gateway["spec"]["gatewayClassName"] == "chosen"
    for cluster in of_kind(objects, "Cluster"):
        store = cluster["spec"]["backup"]["barmanObjectStore"]
        assert (store["destinationPath"], store["endpointURL"]) == ("s3://chosen-backups/postgres", "https://s3.chosen")
    for rule in of_kind(objects, "PrometheusRule"):
        links = [each["annotations"]["runbook_url"] for group in rule["spec"]["groups"] for each in group["rules"]]
        assert links
        assert all(link.startswith("https://pages.chosen/docs/operating.md#") for link in links)


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_command_of_the_comment_and_of_the_page_finds_the_image(name: str) -> None:
    """`kustomize edit set image` replaces by name; one that no manifest has changes nothing, without a word."""
    named = {
        container["image"].partition("@")[0].partition(":")[0]
        for each in of_kind(overlay(name), "Deployment", "Job")
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    comment = (FOLDER / "overlays" / name / "kustomization.yaml").read_text("utf-8")
    asked = re.findall(r"kustomize edit set image ([\w./-]+)=", comment + PAGE)
    assert set(asked) == named
    assert len(asked) == 2


def test_the_page_builds_on_the_base_that_the_image_is_made_for() -> None:
    """A base without Python, such as Debian's own, ends the build at its first step."""
    (base,) = re.findall(r"--build-arg BASE=(\S+)@sha256", (ROOT / "deploy" / "Containerfile").read_text("utf-8"))
    assert re.findall(r"`BASE=(\S+)@sha256:… make image`", PAGE) == [base]


def test_the_page_names_every_file_and_key_to_choose_in() -> None:
    step = PAGE.partition("4. **Your choices**")[2].partition("5. **Apply**")[0]
    for name in OVERLAYS:
        for file in (FOLDER / "overlays" / name).glob("*.env"):
            assert f"`{file.name}`" in step, file
            keys = re.findall(r"^(\w+)=", file.read_text("utf-8"), re.MULTILINE)
            assert not [key for key in keys if f"`{key}`" not in step and key != "KOPPEL_DATABASE_POOL_SIZE"], file
