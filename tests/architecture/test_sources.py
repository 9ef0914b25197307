"""What a citation means can be read here, and no text that leaves the house cites papers that stay in it.

Why: a number that stands for a paper nobody can read explains nothing, and a partner who meets it in an API's description can
not even ask us for the page. ``docs/sources.md`` says what each one asks.
"""

import json
import re
from pathlib import PurePosixPath
from typing import Any

from fastapi import FastAPI

from koppel_mesh.service import installed_services

PAGE = "docs/sources.md"
OFFICIAL = PurePosixPath("libs/ubl/koppel_ubl/checking/peppol")
"""Here a bare R-number is Peppol's own."""
_REQUIREMENT = re.compile(r"(?<![\w-])R(\d{3})(?:–R?(\d{3}))?(?![\w-])")
_PARAGRAPH = re.compile(r"§(\d+(?:\.\d+)?)")
_RFC = re.compile(r"RFC \d+ §[\d.]+")
_PRIVATE = re.compile(rf"§|{_REQUIREMENT.pattern}|(?<!\w)P[1-7](?!\w)|\bsheet\b")


def requirements(text: str) -> set[int]:
    """Return every requirement a text cites, those within a range included."""
    return {
        number for first, last in _REQUIREMENT.findall(text) for number in range(int(first), int(last or first) + 1)
    }


def paragraphs(text: str) -> set[str]:
    return set(_PARAGRAPH.findall(_RFC.sub("", text)))


def private(text: str) -> list[str]:
    """Return what of a text only we can look up."""
    return [found.group() for found in _PRIVATE.finditer(_RFC.sub("", text))]


def cited(checkout: Any) -> list[tuple[PurePosixPath, str]]:
    return [
        (path, text)
        for path, text in checkout.texts(".py", ".md", ".txt", ".yaml", ".toml", ".example")
        if str(path) != PAGE
        and path != PurePosixPath(__file__).relative_to(checkout.root)
        and "samples" not in path.parts
    ]


def test_every_requirement_that_is_cited_is_explained(checkout: Any) -> None:
    page = (checkout.root / PAGE).read_text("utf-8")
    explained = set(re.findall(r"^\| R(\d{3}) \| \S", page, re.MULTILINE))
    found = {
        f"{number:03}"
        for path, text in cited(checkout)
        if not path.is_relative_to(OFFICIAL)
        for number in requirements(text)
    }
    assert len(found) > 10
    assert explained == found


def test_every_paragraph_that_is_cited_is_explained(checkout: Any) -> None:
    page = (checkout.root / PAGE).read_text("utf-8")
    explained = paragraphs(page)
    lost = {(str(path), number) for path, text in cited(checkout) for number in paragraphs(text) - explained}
    assert lost == set()


def test_no_text_of_an_api_cites_what_callers_cannot_read(checkout: Any) -> None:
    texts = {"docs/asyncapi.yaml": (checkout.root / "docs" / "asyncapi.yaml").read_text("utf-8")}
    for name, service in installed_services().items():
        app = FastAPI()
        for router in service.routers:
            app.include_router(router)
        texts[name] = json.dumps(app.openapi(), ensure_ascii=False)
    assert len(texts) > 2
    assert {name: private(text) for name, text in texts.items() if private(text)} == {}


def test_the_rules_can_fail() -> None:
    assert requirements("as R051–R053 and R160 ask, not PEPPOL-EN16931-R008") == {51, 52, 53, 160}
    assert paragraphs("sheet §3.8; RFC 6749 §5.2") == {"3.8"}
    for text in ("(design §5)", "what went already (R060)", "An open problem (P6)", "the messaging sheet"):
        assert private(text), text
    assert not private("RFC 6749 §5.2, PEPPOL-EN16931-R008, KOPPEL-P1X")
