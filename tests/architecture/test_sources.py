"""What a citation means can be read here, and no text that leaves the house cites papers that stay in it.

Why: a number that stands for a paper nobody can read explains nothing, and a partner who meets it in an API's description can
not even ask us for the page. ``docs/sources.md`` says what each one asks.
"""

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from fastapi import FastAPI

from koppel_mesh.http.server import routers_of
from koppel_mesh.service import installed_services

PAGE = "docs/sources.md"
OFFICIAL = PurePosixPath("libs/ubl/koppel_ubl/checking/peppol")
"""Here a bare R-number is Peppol's own."""
_REQUIREMENT = re.compile(r"(?<![\w-])R(\d{3})(?:–R?(\d{3}))?(?![\w-])")
SOURCES = {"design", "contract", "messaging", "ubl"} | {
    path.parent.name.removeprefix("connector-") for path in Path(__file__).parents[2].glob("services/*/sources.md")
}
"""The shared ones, and one a connector."""
_CITED = re.compile(r"(?:\b([a-z]+)\s+(?:# )?)?§(B?\d+(?:\.\d+)?)|[;()\n]", re.IGNORECASE)
"""A source, where it is named, and a paragraph; or what ends the reach of a name. A name may stand at the end of a line."""
_OTHER_FORM = re.compile(r"\b\w+\s+sheet\b|\breference:[^)\n]*§|(?<=§)(?:B?\d[\d.]*)[–-]§", re.IGNORECASE)
"""A source has one form: its name and a paragraph."""
_RFC = re.compile(r"RFC \d+ §[\d.]+")
_PRIVATE = re.compile(rf"§|{_REQUIREMENT.pattern}|(?<!\w)P[1-7](?!\w)|\bsheet\b")


def requirements(text: str) -> set[int]:
    """Return every requirement a text cites, those within a range included."""
    return {
        number for first, last in _REQUIREMENT.findall(text) for number in range(int(first), int(last or first) + 1)
    }


def citations(text: str, here: str | None) -> set[str]:
    """Return each ``source §n`` that a text cites.

    Args:
        text: code or a page.
        here: the source that a bare §n means in this file; None where each must be named.
    """
    found, last = set(), None
    for named, number in _CITED.findall(_RFC.sub("", text)):
        if not number:
            last = None
            continue
        last = named.lower() if named.lower() in SOURCES else last
        found.add(f"{last or here or '?'} §{number}")
    return found


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
    """The shared sources in docs/sources.md, a connector's in the ``sources.md`` beside it."""
    lists = {path: text for path, text in checkout.texts(".md") if path.name == "sources.md"}
    assert len(lists) > 1
    explained = {
        one
        for text in lists.values()
        for row in text.splitlines()
        if row.startswith("| ")
        for one in citations(row.split("|")[1], None)
    }
    lost = {
        (str(path), one)
        for path, text in cited(checkout)
        if path.name != "sources.md"
        for one in citations(text, _source_of(path)) - explained
    }
    assert lost == set()


def other_forms(text: str) -> list[str]:
    """Return each citation that names its source in another way than ``source §n`` or ``source §n–m``."""
    return [found.group() for found in _OTHER_FORM.finditer(text)]


def test_a_source_is_cited_in_one_form(checkout: Any) -> None:
    assert {str(path): found for path, text in cited(checkout) if (found := other_forms(text))} == {}


def test_each_connector_explains_its_own_source_only(checkout: Any) -> None:
    for path, text in checkout.texts(".md"):
        if path.name == "sources.md" and path.parts[0] == "services":
            rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| ") and "§" in row.split("|")[1]]
            assert {one.split(" ")[0] for row in rows for one in citations(row, None)} == {_source_of(path)}, path


def _source_of(path: PurePosixPath) -> str | None:
    name = path.parts[1] if len(path.parts) > 1 and path.parts[0] == "services" else ""
    source = name.removeprefix("connector-")
    return source if source in SOURCES else None


def test_no_text_of_an_api_cites_what_callers_cannot_read(checkout: Any) -> None:
    texts = {"docs/asyncapi.yaml": (checkout.root / "docs" / "asyncapi.yaml").read_text("utf-8")}
    for name, service in installed_services().items():
        app = FastAPI()
        for router in routers_of(service):
            app.include_router(router)
        texts[name] = json.dumps(app.openapi(), ensure_ascii=False)
    assert len(texts) > 2
    assert {name: private(text) for name, text in texts.items() if private(text)} == {}


def test_the_rules_can_fail() -> None:
    assert requirements("as R051–R053 and R160 ask, not PEPPOL-EN16931-R008") == {51, 52, 53, 160}
    assert citations("(exact §3.6–3.8, §5); messaging §3.7 (RFC 6749 §5.2)", None) == {
        "exact §3.6",
        "exact §5",
        "messaging §3.7",
    }
    assert citations("as §5.1 says (design §6; §2)", None) == {"? §5.1", "design §6", "? §2"}
    assert citations("§5.1", "exact") == {"exact §5.1"}
    for text in ("(vendor sheet §1.3)", "messaging sheet §3.7", "(reference: exact §5)", "messaging §3.5–§3.8"):
        assert other_forms(text), text
    assert not other_forms("exact §3.6–3.8, §5; a spreadsheet; RFC 6749 §5.2")
    for text in ("(design §5)", "what went already (R060)", "An open problem (P6)", "the messaging sheet"):
        assert private(text), text
    assert not private("RFC 6749 §5.2, PEPPOL-EN16931-R008, KOPPEL-P1X")
