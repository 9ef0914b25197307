"""What ``prepare`` works out is not worked out again for the first document of a caller."""

from pathlib import Path

import pytest

import koppel_ubl
from koppel_ubl.checking.engine import places

SAMPLES = Path(__file__).parent / "samples/valid"


@pytest.fixture(autouse=True)
def _empty_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_current", [places.Memory()])


@pytest.mark.parametrize("name", ["own__be-01-invoice-ogm-pdf.xml", "own__be-02-creditnote-ref.xml"])
@pytest.mark.parametrize("profile", ["peppol-bis-3", "en16931"])
def test_little_is_left_for_the_first_document(name: str, profile: koppel_ubl.Profile) -> None:
    data = (SAMPLES / name).read_bytes()
    unprepared = compiled_by_check(data, profile)
    places._current[0] = places.Memory()
    koppel_ubl.prepare()
    assert compiled_by_check(data, profile) < unprepared / 10


def test_preparing_again_adds_nothing() -> None:
    koppel_ubl.prepare()
    size = places.memory().size
    koppel_ubl.prepare()
    assert places.memory().size == size


def compiled_by_check(data: bytes, profile: koppel_ubl.Profile) -> int:
    """Return for how many places a check compiles rules that were not compiled before."""
    before = compiled()
    koppel_ubl.check(data, profile)
    return len(compiled() - before)


def compiled() -> set[tuple[str, str, object]]:
    found = set()
    memory = places.memory()
    waiting = [memory.invoice, memory.credit_note]
    while waiting:
        place = waiting.pop()
        found |= {(memory_of(place), place.path, key) for key in place.compiled}
        waiting.extend(place.places.values())
    return found


def memory_of(place: places.Place) -> str:
    while place.above is not None:
        place = place.above
    return place.name
