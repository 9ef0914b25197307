"""The mails, in one SQLite file: what was answered 250 outlives a kill."""

import email
import email.policy
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from koppel_sandbox.installed import SandboxError

FORMAT = 1
FILE = "mails.db"
Box = Literal["taken", "returned"]
"""``taken`` came by SMTP; ``returned`` is what IMAP gives: bounces and out-of-office notices."""
_CREATE = """
    CREATE TABLE IF NOT EXISTS mail (
        uid INTEGER PRIMARY KEY AUTOINCREMENT, box TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,
        content BLOB NOT NULL, received_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
        flags TEXT NOT NULL DEFAULT '[]');
    CREATE TABLE IF NOT EXISTS switch (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Mail:
    """One mail and its envelope."""

    uid: int
    box: Box
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    received_at: str
    flags: frozenset[str]


class MailStore:
    """Use in one thread; every change is on the disk when its method returns."""

    def __init__(self, folder: Path | None) -> None:
        """Open the file in ``folder``; None keeps everything in memory.

        Raises:
            SandboxError: there is a file, and it is none of ours.
        """
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(":memory:" if folder is None else folder / FILE)
        try:
            (found,) = self._file.execute("PRAGMA user_version").fetchone()
            if found not in (0, FORMAT):
                raise SandboxError(f"What the sandbox mail kept in {folder} has format {found}, not {FORMAT}.")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.executescript(_CREATE)
            self._file.execute(f"PRAGMA user_version = {FORMAT}")
        except sqlite3.Error as error:
            self._file.close()
            raise SandboxError(
                f"What the sandbox mail kept in {folder} cannot be read ({error}). Put an older copy in its place, or "
                "delete the folder to begin anew."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def add(self, box: Box, sender: str, recipients: tuple[str, ...], content: bytes) -> int:
        """Keep a mail; return its number."""
        with self._file:
            made = self._file.execute(
                "INSERT INTO mail (box, sender, recipients, content) VALUES (?, ?, ?, ?)",
                (box, sender, json.dumps(recipients), content),
            )
        assert made.lastrowid is not None
        return made.lastrowid

    def mails(self, box: Box) -> list[Mail]:
        """Return every mail of a box, oldest first."""
        rows = self._file.execute("SELECT * FROM mail WHERE box = ? ORDER BY uid", (box,)).fetchall()
        return [_mail(row) for row in rows]

    def mail(self, uid: int) -> Mail | None:
        """Return one mail."""
        row = self._file.execute("SELECT * FROM mail WHERE uid = ?", (uid,)).fetchone()
        return None if row is None else _mail(row)

    def flag(self, uid: int, *flags: str) -> None:
        """Add flags to a mail."""
        found = self.mail(uid)
        if found is not None:
            with self._file:
                kept = json.dumps(sorted(found.flags | set(flags)))
                self._file.execute("UPDATE mail SET flags = ? WHERE uid = ?", (kept, uid))

    def expunge(self, box: Box) -> list[int]:
        """Remove the mails of a box that are flagged as deleted; return their numbers."""
        gone = [mail.uid for mail in self.mails(box) if "\\Deleted" in mail.flags]
        with self._file:
            self._file.executemany("DELETE FROM mail WHERE uid = ?", [(uid,) for uid in gone])
        return gone

    def clear(self) -> None:
        """Remove everything."""
        with self._file:
            self._file.execute("DELETE FROM mail")
            self._file.execute("DELETE FROM switch")

    def switches(self) -> dict[str, Any]:
        """Return what a test has set."""
        return {name: json.loads(value) for name, value in self._file.execute("SELECT name, value FROM switch")}

    def set_switches(self, values: Mapping[str, Any]) -> None:
        """Set some of them."""
        with self._file:
            self._file.executemany(
                "INSERT INTO switch VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [(name, json.dumps(value)) for name, value in values.items()],
            )


def _mail(row: tuple[Any, ...]) -> Mail:
    uid, box, sender, recipients, content, received_at, flags = row
    return Mail(uid, box, sender, tuple(json.loads(recipients)), content, received_at, frozenset(json.loads(flags)))


def files_of(content: bytes) -> list[bytes]:
    """Return the attached files of a mail."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    parts = message.iter_attachments() if message.is_multipart() else iter(())
    return [bytes(part.get_payload(decode=True) or b"") for part in parts]
