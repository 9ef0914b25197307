"""What we write, the schema and the official rules accept: built documents, and valid samples written again (``make oracle``)."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from lxml import etree

import koppel_ubl
from koppel_ubl import Invoice

from ..test_building import CATEGORIES, drafts  # noqa: TID252 - the folder of these tests is no package by name
from .official_rules import OfficialRules, official_rules
from .test_official_rules import SHARED, Schema

pytestmark = pytest.mark.oracle
VALID = sorted((SHARED / "valid").rglob("*.xml"))


@pytest.fixture(scope="module")
def official() -> Iterator[OfficialRules]:
    with official_rules() as running:
        yield running


@pytest.fixture(scope="module")
def schema() -> Schema:
    return Schema()


def broken(official: OfficialRules, root: etree._Element) -> set[str]:
    verdict = official.judge(root)
    assert verdict.en16931 is not None
    assert verdict.peppol is not None
    return {rule for rule, flag in {**verdict.en16931, **verdict.peppol}.items() if flag == "fatal"}


@pytest.mark.parametrize("name", list(CATEGORIES))
def test_a_document_of_every_vat_category_is_accepted(official: OfficialRules, schema: Schema, name: str) -> None:
    root = etree.fromstring(koppel_ubl.write(koppel_ubl.build(CATEGORIES[name])))
    assert schema.allows(root)
    assert broken(official, root) == set()


@settings(max_examples=60, deadline=None)
@given(drafts())
def test_whatever_is_sold_the_document_is_accepted(official: OfficialRules, schema: Schema, sold: Invoice) -> None:
    root = etree.fromstring(koppel_ubl.write(koppel_ubl.build(sold)))
    assert schema.allows(root)
    assert broken(official, root) == set()


def test_there_are_valid_samples() -> None:
    assert len(VALID) > 20, f"no samples in {SHARED}: set KOPPEL_SHARED"


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_valid_sample_written_again_breaks_no_rule_that_it_kept(
    official: OfficialRules, schema: Schema, path: Path
) -> None:
    document = koppel_ubl.read(path.read_bytes())
    written = koppel_ubl.write(document)
    root = etree.fromstring(written)
    assert schema.allows(root)
    given_root = etree.fromstring(path.read_bytes())
    assert broken(official, root) <= broken(official, given_root)
    assert koppel_ubl.read(written) == dataclasses.replace(document, unmapped=())
