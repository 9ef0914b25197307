"""What a check keeps of earlier documents changes no finding, and is bounded."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

import koppel_ubl
from koppel_ubl import Finding, safe_xml
from koppel_ubl.checking.engine import places

from .oracle.mutations import mutated

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*/*.xml"))
INVOICE = (Path(__file__).parent / "samples/valid/own__be-10-mixed-rates-allowance-charge.xml").read_bytes()
MUTATIONS = 4


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    forget()
    yield
    forget()


def forget() -> None:
    places._current[0] = places.Memory()


def documents() -> list[bytes]:
    found = [path.read_bytes() for path in SAMPLES]
    for path in SAMPLES:
        root = safe_xml.parse(path.read_bytes())
        found += [etree.tostring(mutated(root, f"{path.name} {seed}")) for seed in range(MUTATIONS)]
    return found


def checked(data: bytes) -> tuple[Finding, ...] | str:
    try:
        return koppel_ubl.check(data).findings
    except koppel_ubl.ReadError as error:
        return error.code


def checked_alone(data: bytes) -> tuple[Finding, ...] | str:
    forget()
    return checked(data)


def test_earlier_documents_change_no_finding() -> None:
    found = documents()
    alone = [checked_alone(data) for data in found]
    assert sum(len(each) for each in alone if not isinstance(each, str)) > 500, "the mutations break rules"
    forget()
    for seed in range(2):
        order = list(range(len(found)))
        random.Random(seed).shuffle(order)
        for at in order:
            assert checked(found[at]) == alone[at]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b">28.73<", b">28.74<", "BR-CO-14"),
        (b">2026-01-15<", b">2026-13-15<", "KOPPEL-FORMAT"),
        (b">8.75<", b">8.751<", None),
        (b">12.40<", b">12.401<", "UBL-DT-01"),
        (b">Papier A3<", b"> <", "BR-25"),
        (b">0000000295<", b">0000000296<", "PEPPOL-COMMON-R043"),
        (b">BE0000000295<", b">XY0000000295<", "BR-CO-09"),
        (b">NL<", b">BE<", None),
        (b'unitCode="C62"', b'unitCode="BAG OF"', "BR-CL-23"),
        (b'currencyID="EUR">8.75', b'currencyID="USD">8.75', "PEPPOL-EN16931-R051"),
        (b"<cbc:ID>5</cbc:ID><cbc:Inv", b"<cbc:ID>4</cbc:ID><cbc:Inv", "KOPPEL-LINE-ID"),
        (b">JVBER", b">AAAAA", "KOPPEL-PDF"),
    ],
)  # fmt: skip
def test_a_document_that_differs_from_the_last_in_one_text_is_checked_by_it(
    old: bytes, new: bytes, rule: str | None
) -> None:
    changed = INVOICE.replace(old, new)
    assert checked(INVOICE) == ()
    first = checked(changed)
    assert checked(INVOICE) == ()
    assert checked(changed) == first == checked_alone(changed)
    if rule is not None:
        assert rule in {finding.rule for finding in first if isinstance(finding, Finding)}


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "KEPT_MAX", 3_000)
    good = checked(INVOICE)
    largest = 0
    for number in range(300):
        draw = random.Random(number)
        codes = [f"{draw.randrange(10**9)}".encode() for _ in range(4)]
        data = INVOICE.replace(b">C62<", b">" + codes[0] + b"<").replace(b">EUR<", b">" + codes[1] + b"<")
        data = data.replace(b"cbc:CityName", b"cbc:City" + codes[2]).replace(b'"0208"', b'"' + codes[3] + b'"')
        checked(data)
        largest = max(largest, places._current[0].size)
    assert largest < 3_000 + places.KEPT_PARTS_MAX
    assert checked(INVOICE) == good


def test_long_texts_are_not_kept() -> None:
    checked(INVOICE)
    before = places._current[0].size
    long = b"S" * 10_000
    checked(
        INVOICE.replace(b"<cbc:ID>S</cbc:ID>", b"<cbc:ID>" + long + b"</cbc:ID>").replace(b'"C62"', b'"' + long + b'"')
    )
    tokens = [token for place in _places(places._current[0].invoice) for token in place.tokens]
    assert places._current[0].size > before
    assert max(len(repr(token)) for token in tokens) < 1_000


def _places(place: places.Place) -> Iterator[places.Place]:
    yield place
    for below in place.places.values():
        yield from _places(below)


def test_texts_and_elements_out_of_place_by_the_thousand_take_linear_time() -> None:
    start, _, rest = INVOICE.partition(b"<cac:PaymentMeans>")
    wrong = b"<cbc:Note>x</cbc:Note>y<cac:Delivery/>" * 10_000
    found = checked(start + wrong + b"<cac:PaymentMeans>" + rest)
    assert not isinstance(found, str)
    assert len(found) < 1_000


def test_threads_share_the_memory() -> None:
    found = documents()[:60]
    alone = [checked_alone(data) for data in found]
    forget()
    wrong: list[int] = []

    def work(seed: int) -> None:
        order = list(range(len(found)))
        random.Random(seed).shuffle(order)
        wrong.extend(at for at in order if checked(found[at]) != alone[at])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
