"""``koppel doctor`` as a Job: it reaches every service, and nobody else may use its way."""

import yaml
from deploy.kubernetes.generator.catalogue import IMAGE, PORT

from koppel_mesh.service import installed_services

from .policies import allows
from .rendering import FOLDER, ROOT, Object, containers, environment, of_kind, overlay
from .rules import faults

EXAMPLE = FOLDER / "examples" / "doctor.yaml"
PAGE = (ROOT / "docs" / "operating.md").read_text("utf-8")


def labels_of(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "koppel"}


def example() -> list[Object]:
    text = EXAMPLE.read_text("utf-8").replace(f"image: {IMAGE}\n", "image: registry.example/koppel:1.2.3\n")
    return list(yaml.safe_load_all(text))


def test_it_may_ask_every_service_in_both_overlays_and_nobody_else() -> None:
    (job,) = of_kind(example(), "Job")
    doctor = job["spec"]["template"]["metadata"]["labels"]
    policies = [*of_kind(overlay("production"), "NetworkPolicy"), *of_kind(example(), "NetworkPolicy")]
    for name in installed_services():
        assert allows(policies, "egress", doctor, labels_of(name), PORT), name
        assert allows(policies, "ingress", labels_of(name), doctor, PORT), name
        assert not allows(policies, "ingress", doctor, labels_of(name), PORT), name
    assert not allows(policies, "ingress", labels_of("webhooks"), labels_of("stranger"), PORT)
    assert not allows(policies, "egress", doctor, {"cnpg.io/cluster": "koppel-postgres"}, 5432)


def test_it_is_a_job_like_ours_that_signs_in_as_the_services() -> None:
    for name in ("small", "production"):
        assert faults([*overlay(name), *example()]) == []
    (job,) = of_kind(example(), "Job")
    (container,) = containers(job)
    assert environment(container, example()) == {
        "KOPPEL_INTERNAL_URL": "http://{service}",
        "KOPPEL_CLIENT_ID": "koppel-services",
        "KOPPEL_CLIENT_SECRET": "secret koppel-shared",
    }
    assert {each["metadata"]["namespace"] for each in example()} == {"koppel"}


def test_the_page_says_how_it_is_started() -> None:
    (job,) = of_kind(example(), "Job")
    assert f'sed "s|image: {IMAGE}$|image: $IMAGE|" deploy/kubernetes/examples/doctor.yaml' in PAGE
    assert f"image: {IMAGE}\n" in EXAMPLE.read_text("utf-8")
    assert f"kubectl -n koppel logs -f job/{job['metadata']['name']}" in PAGE
