"""Checking an export of a receipt book, with the file alone or with the published keys beside it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from koppel_receipts import Report, verify

from .user_errors import UserError


def check(file: Path, keys: Path | None) -> Report:
    """Check an export.

    Args:
        file: what ``GET …/receipt-books/{id}/export`` answered.
        keys: what ``GET /pos-ingest/v1/seal-keys`` answered, kept from an earlier day or fetched now.

    Raises:
        UserError: a file cannot be read, or the keys are none.
    """
    trusted = None if keys is None else _keys(keys)
    try:
        with file.open("rb") as lines:
            return verify(lines, trusted)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from error


def _keys(file: Path) -> Mapping[str, str]:
    try:
        return {key["kid"]: key["x"] for key in json.loads(file.read_bytes())["keys"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{file} holds no key set, as GET /pos-ingest/v1/seal-keys answers it") from error


def sentences(report: Report) -> Iterator[str]:
    """Yield what a check found, for a person."""
    book = report.book.get("name") or report.book.get("id") or "the file"
    if report.broken is not None:
        where = f"entry {report.broken.seq}" if report.broken.seq else "no entry"
        yield f"BROKEN at line {report.broken.line}, {where}: {report.broken.message} ({report.broken.rule})"
        yield f"Before that, {report.entries} entries of {book} are right."
        return
    yield f"{book}: {report.entries} entries are right, of {report.first_on or '–'} to {report.last_on or '–'}."
    if report.first_seq and report.first_seq > 1:
        yield f"The first is entry {report.first_seq}; those before it are not in the file."
    if report.sealed_through is not None:
        yield f"Sealed up to entry {report.sealed_through} with {', '.join(sorted(report.key_ids))}."
    if not report.head_sealed:
        yield "No seal covers what the file calls the book: an earlier release exported it, or somebody changed it."
    for key, amount in report.running_totals.items():
        yield f"Running total {key}: {amount}"
