"""The sealed book: nothing of it is changed, what was changed all the same is found, each day is sealed, nights close days."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from cryptography.fernet import Fernet
from sqlalchemy.exc import DBAPIError

from koppel_mesh.keyring import KeyRing, MissingKeyError
from koppel_receipts import Entry, Report, add_totals, verify
from pos_ingest import nightly, seals
from pos_ingest.rules import last_closing

from .conftest import OTHER_FIRM, Till


def week(till: Till) -> str:
    """Enter five days and a closed one."""
    book = till.book()
    for on in ("2026-03-13", "2026-03-14", "2026-03-16", "2026-03-16", "2026-03-17"):
        till.entered(book, on)
    return book


def exported(till: Till, book: str) -> httpx2.Response:
    answer = till.call("GET", f"{book}/export")
    assert answer.status_code == 200, answer.text
    return answer


def checked(till: Till, book: str) -> Report:
    """Verify an export against the keys that the service publishes."""
    published = {key["kid"]: key["x"] for key in till.call("GET", "/v1/seal-keys").json()["keys"]}
    return verify(exported(till, book).content.splitlines(), published)


def work(till: Till, loop: Any) -> None:
    while till.run(loop(till.context)):
        pass


def test_an_export_verifies_offline(till: Till) -> None:
    book = week(till)
    answer = exported(till, book)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert 'filename="receipts-B1.ndjson"' in answer.headers["content-disposition"]
    report = verify(answer.content.splitlines())
    assert report.valid, report.broken
    assert (report.entries, report.sealed_through, report.head_sealed) == (6, 5, True)
    assert report.running_totals == {"S:6": "530.00"}
    assert till.call("GET", f"{book}/export", firm=OTHER_FIRM).status_code == 404
    assert verify(exported(till, till.book()).content.splitlines()).valid


def test_nobody_takes_an_export_for_that_of_another_place(till: Till) -> None:
    book = till.book(name="Gent", place_of_business="Markt 1, Gent")
    till.entered(book, "2026-03-13")
    content = exported(till, book).content
    assert verify(content.splitlines()).valid
    for before, after in ((b'"Gent"', b'"Brussel"'), (b"Markt 1, Gent", b"Markt 1, Brussel")):
        broken = verify(content.replace(before, after, 1).splitlines()).broken
        assert broken is not None and (broken.line, broken.rule) == (3, "head"), broken


def test_each_day_that_is_over_has_one_seal(till: Till) -> None:
    chain = till.chain(week(till))
    assert [entry["date"][-2:] for entry in chain if entry["seal"]] == ["13", "14", "15", "16"]
    assert [entry["seq"] for entry in chain if entry["seal"]] == [1, 2, 3, 5]


def test_pages_of_the_chain_are_the_chain(till: Till) -> None:
    book = week(till)
    first = till.call("GET", f"{book}/chain?limit=4").json()
    rest = till.call("GET", f"{book}/chain?limit=4&after={first['next']}").json()
    assert [*first["items"], *rest["items"]] == till.chain(book) and rest["next"] is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET content = content WHERE book_id = :book",
        "DELETE FROM entry WHERE book_id = :book",
        "UPDATE seal SET signature = '' WHERE book_id = :book",
        "DELETE FROM seal WHERE book_id = :book",
    ],
)
def test_the_database_refuses_to_change_the_book(till: Till, statement: str) -> None:
    book = week(till)
    with pytest.raises(DBAPIError, match="a sealed book is not changed"):
        till.sql(statement, book=book.rpartition("/")[2])
    assert checked(till, book).valid


AMOUNT = """jsonb_set(content, '{lines,0,amount}', '"96.00"')"""
CHANGES = {
    "an amount": (f"UPDATE entry SET content = {AMOUNT} WHERE book_id = :book AND seq = 4", 4, "hash"),
    "a total": ("""UPDATE entry SET running_totals = '{"S:6": "1.00"}' WHERE book_id = :book AND seq = 2""", 2, "hash"),
    "a day": ("UPDATE entry SET entry_on = entry_on - 1 WHERE book_id = :book AND seq = 6", 6, "hash"),
    "a moment": (
        "UPDATE entry SET entered_at = entered_at + interval '1 microsecond' WHERE book_id = :book AND seq = 1",
        1,
        "hash",
    ),
    "the last entry": ("DELETE FROM entry WHERE book_id = :book AND seq = 4", 5, "sequence"),
    "a seal": ("DELETE FROM seal WHERE book_id = :book AND seq = 3", 3, "seal_missing"),
    "a signature": ("UPDATE seal SET signature = 'AAAA' WHERE book_id = :book AND seq = 3", 3, "seal"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_behind_the_triggers_is_found(till: Till, what: str) -> None:
    book = week(till)
    statement, seq, rule = CHANGES[what]
    table = "seal" if "seal" in statement else "entry"
    till.sql(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
    till.sql(statement, book=book.rpartition("/")[2])
    till.sql(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")
    broken = checked(till, book).broken
    assert broken is not None and (broken.seq, broken.rule) == (seq, rule), broken


def test_a_chain_made_anew_from_a_changed_entry_breaks_its_seals(till: Till) -> None:
    """Who can write every row still lacks the key."""
    book = week(till)
    head, *entries, end = map(json.loads, exported(till, book).content.splitlines())
    entries[2]["content"]["lines"][0] |= {"kind": "normal", "vat_category": "S", "vat_rate": "6", "amount": "1.00"}
    before = entries[1]
    for each in entries[2:]:
        each["previous_hash"] = before["hash"]
        each["running_totals"] = add_totals(before["running_totals"], each["content"])
        hashed = {name: value for name, value in each.items() if name not in ("hash", "seal")}
        each["hash"] = Entry(book_id=book.rpartition("/")[2], **hashed).hash()
        before = each
    end["end"]["hash"] = before["hash"]
    lines = [json.dumps(each).encode() for each in (head, *entries, end)]
    broken = verify(lines).broken
    assert broken is not None and (broken.seq, broken.rule) == (3, "seal"), broken
    for each in entries[2:]:
        each["seal"] = None
    broken = verify([json.dumps(each).encode() for each in (head, *entries, end)]).broken
    assert broken is not None and (broken.seq, broken.rule) == (3, "seal_missing"), broken


# ── nights ──


@pytest.mark.parametrize(
    ("now", "closing"),
    [
        ("2026-03-20T22:29:59", "2026-03-19T22:30:00"),
        ("2026-03-20T22:30:00", "2026-03-20T22:30:00"),
        ("2026-03-29T12:00:00", "2026-03-28T22:30:00"),  # the clock goes forward that night
        ("2026-03-29T21:30:00", "2026-03-29T21:30:00"),
        ("2026-10-25T22:29:00", "2026-10-24T21:30:00"),  # and back
        ("2026-10-25T22:30:00", "2026-10-25T22:30:00"),
    ],
)
def test_a_day_closes_at_half_past_eleven_in_brussels(now: str, closing: str) -> None:
    found = last_closing(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found.astimezone(UTC) == datetime.fromisoformat(closing).replace(tzinfo=UTC)


def test_a_night_closes_the_days_without_entries(till: Till) -> None:
    book = till.book()
    till.at("2026-03-27T12:00:00")
    till.entered(book, "2026-03-27")
    till.at("2026-03-27T22:29:00")
    work(till, nightly.close_days)
    assert [entry["seal"] for entry in till.chain(book)] == [None]
    till.at("2026-03-29T21:30:00")  # two nights later, of which one has 23 hours
    work(till, nightly.close_days)
    chain = till.chain(book)
    assert [(entry["date"], entry["content"]["lines"][0]["kind"]) for entry in chain] == [
        ("2026-03-27", "normal"),
        ("2026-03-28", "closed"),
        ("2026-03-29", "closed"),
    ]
    assert all(entry["seal"] for entry in chain)
    till.at("2026-03-29T21:45:00")
    till.entered(book, "2026-03-29")
    work(till, nightly.close_days)
    assert len(till.chain(book)) == 4
    assert checked(till, book).valid


def test_days_of_the_past_may_be_entered_until_the_next_night(till: Till) -> None:
    book = till.book()
    till.entered(book, "2026-03-02")
    work(till, nightly.close_days)
    till.entered(book, "2026-03-03")
    assert [entry["date"] for entry in till.chain(book)] == ["2026-03-02", "2026-03-03"]


def test_a_book_that_ended_or_has_not_begun_gets_no_closed_days(till: Till) -> None:
    unused, ended = till.book(), till.book(ends_on="2026-03-18")
    till.entered(ended, "2026-03-17")
    till.at("2026-03-25T12:00:00")
    work(till, nightly.close_days)
    assert till.chain(unused) == []
    assert [entry["date"] for entry in till.chain(ended)] == ["2026-03-17", "2026-03-18"]


# ── keys ──


def test_a_new_key_seals_and_the_old_ones_stay_published(till: Till) -> None:
    book = till.book()
    till.entered(book, "2026-03-16")
    till.entered(book, "2026-03-17")
    before = till.call("GET", "/v1/seal-keys").json()["keys"]

    async def another_key() -> None:
        async with till.database.transaction() as tx:
            await seals.prepare_keys(tx, till.context.resources, 0)

    till.run(another_key())
    till.entered(book, "2026-03-18")
    published = till.call("GET", "/v1/seal-keys").json()["keys"]
    assert published[: len(before)] == before and len(published) == len(before) + 1
    report = checked(till, book)
    assert report.valid and len(report.key_ids) == 2
    kept = till.sql("SELECT id::text AS id FROM seal_key WHERE sealed <> ''")
    assert [row["id"] for row in kept] == [published[-1]["kid"]], "the private half of the old key is destroyed"
    assert all(set(key) == {"kty", "crv", "use", "alg", "kid", "x"} for key in published)


def test_private_keys_are_kept_under_the_first_secret_key(till: Till) -> None:
    old: KeyRing = till.context.resources
    first = Fernet.generate_key().decode()
    secrets = [key.get_secret_value() for key in till.context.settings.secret_keys]
    both, alone = KeyRing([first, *secrets]), KeyRing([first])

    async def prepare(ring: KeyRing) -> None:
        async with till.database.transaction() as tx:
            await seals.prepare_keys(tx, ring, 365)

    with pytest.raises(MissingKeyError):
        till.run(prepare(alone))
    till.run(prepare(both))
    till.run(prepare(alone))
    till.run(prepare(KeyRing([*secrets, first])))
    assert till.context.resources is old


# ── retention ──


def test_entries_go_when_their_retention_has_ended_and_no_sooner(till: Till) -> None:
    book = till.book()
    for on in ("2015-12-30", "2015-12-31", "2016-01-01", "2016-01-02"):
        till.at(f"{on}T12:00:00")
        till.entered(book, on)
    _made_long_ago(till, book)
    till.at("2025-12-31T12:00:00")
    work(till, nightly.forget_ended)
    assert len(till.chain(book)) == 4
    till.at("2026-01-01T12:00:00")
    work(till, nightly.forget_ended)
    assert [entry["date"] for entry in till.chain(book)] == ["2016-01-01", "2016-01-02"]
    report = checked(till, book)
    assert report.valid and report.first_seq == 3, report.broken
    till.at("2090-01-01T12:00:00")
    work(till, nightly.forget_ended)
    assert len(till.chain(book)) == 2, "the end of the chain stays"
    assert till.sql("SELECT seq FROM seal WHERE book_id = :book", book=book.rpartition("/")[2]) == [{"seq": 3}]


def test_of_a_firm_that_left_the_end_of_the_chain_goes_as_well(till: Till) -> None:
    book = till.book()
    for on in ("2015-12-31", "2016-01-01"):
        till.at(f"{on}T12:00:00")
        till.entered(book, on)
    _made_long_ago(till, book)
    left = "INSERT INTO firm_deletion (firm_id, asked_by) SELECT firm_id, 'operator' FROM receipt_book WHERE id = :book"
    till.sql(left, book=book.rpartition("/")[2])
    till.at("2026-12-31T12:00:00")
    work(till, nightly.forget_ended)
    assert [entry["date"] for entry in till.chain(book)] == ["2016-01-01"]
    till.at("2027-01-01T12:00:00")
    work(till, nightly.forget_ended)
    till.sql("DELETE FROM firm_deletion")
    assert till.chain(book) == []
    assert till.sql("SELECT seq FROM seal WHERE book_id = :book", book=book.rpartition("/")[2]) == []


def _made_long_ago(till: Till, book: str) -> None:
    """Seals take the database's clock; these are of the days that the test plays."""
    till.sql("ALTER TABLE seal DISABLE TRIGGER seal_append_only")
    till.sql(
        "UPDATE seal SET sealed_at = (SELECT entered_at FROM entry e WHERE e.book_id = seal.book_id AND e.seq = seal.seq)"
        " WHERE book_id = :book",
        book=book.rpartition("/")[2],
    )
    till.sql("ALTER TABLE seal ENABLE TRIGGER seal_append_only")


def test_nobody_shortens_the_retention_below_seven_years(till: Till) -> None:
    book = week(till)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    with pytest.raises(DBAPIError, match="a sealed book is not changed"):
        till.sql(
            "WITH allowed AS (SELECT set_config('koppel.retention_ended_on', :day, true) AS day)"
            " DELETE FROM entry USING allowed WHERE book_id = :book AND day IS NOT NULL",
            day=tomorrow,
            book=book.rpartition("/")[2],
        )
