"""The side that gives bounces: as much of IMAP4rev1 (RFC 3501) as one reads a mailbox with."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable

from .store import Mail, MailStore

CAPABILITIES = "IMAP4rev1"
_LINE = re.compile(r"(?P<tag>\S+) (?P<name>\S+)(?: (?P<rest>.*))?$")
_FETCHED = re.compile(r"(?:BODY(?:\.PEEK)?\[\]|RFC822)(?:<0\.(?P<size>\d+)>)?", re.IGNORECASE)
_WITHOUT = {"UNSEEN": "\\Seen", "UNFLAGGED": "\\Flagged"}
"""Keys of a search (RFC 3501 §6.4.4), each with the flag that a mail may not have."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


class MailGiver:
    """Serves the mails that came back, as the INBOX of whoever logs in."""

    def __init__(self, store: MailStore, password: str) -> None:
        self._store = store
        self._password = password

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            writer.write(b"* OK Koppel sandbox\r\n")
            await _Session(self._store, self._password, writer).run(reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class _Session:
    def __init__(self, store: MailStore, password: str, writer: asyncio.StreamWriter) -> None:
        self._store = store
        self._password = password
        self._writer = writer
        self._logged_in = False

    async def run(self, reader: asyncio.StreamReader) -> None:
        while line := (await reader.readline()).decode("ascii", "replace").rstrip("\r\n"):
            found = _LINE.match(line)
            if found is None:
                self._say("* BAD a command has a tag and a name")
                continue
            tag, name, rest = found["tag"], found["name"].upper(), found["rest"] or ""
            if name == "UID":
                name, _, rest = rest.partition(" ")
                name = f"UID {name.upper()}"
            self._say(f"{tag} {self._answer(name, rest)}")
            await self._writer.drain()
            if name == "LOGOUT":
                return

    def _answer(self, name: str, rest: str) -> str:
        if name in ("CAPABILITY", "NOOP", "LOGOUT", "LOGIN"):
            return self._unauthenticated(name, rest)
        if not self._logged_in:
            return "NO log in first"
        match name:
            case "SELECT" | "EXAMINE":
                mails = self._mails()
                self._say(
                    "* FLAGS (\\Seen \\Flagged \\Deleted)",
                    f"* {len(mails)} EXISTS",
                    "* 0 RECENT",
                    "* OK [UIDVALIDITY 1] ok",
                )
                return "OK [READ-WRITE] selected"
            case "UID SEARCH":
                unwanted = {flag for key, flag in _WITHOUT.items() if key in rest.upper().split()}
                wanted = [mail for mail in self._mails() if not unwanted & set(mail.flags)]
                self._say(" ".join(["* SEARCH", *(str(mail.uid) for mail in wanted)]))
                return "OK searched"
            case "UID FETCH":
                return self._fetch(rest)
            case "UID STORE":
                if self._store.switches().get("refuses_flags"):
                    return "NO can't store that data"  # RFC 3501 §6.4.6
                for number, _ in self._named(rest):
                    self._store.flag(number, *re.findall(r"\\\w+", rest))
                return "OK stored"
            case "EXPUNGE" | "CLOSE":
                for uid in self._store.expunge("returned"):
                    self._say(f"* {uid} EXPUNGE")
                return "OK done"
        return "BAD unknown command"

    def _unauthenticated(self, name: str, rest: str) -> str:
        if name == "CAPABILITY":
            self._say(f"* CAPABILITY {CAPABILITIES}")
        elif name == "LOGOUT":
            self._say("* BYE")
        elif name == "LOGIN":
            _, password = [quoted or plain for quoted, plain in _QUOTED.findall(rest)][:2] or ["", ""]
            if password != self._password:
                return "NO [AUTHENTICATIONFAILED] wrong password"
            self._logged_in = True
        return f"OK {name.lower()}"

    def _fetch(self, rest: str) -> str:
        for number, mail in self._named(rest):
            head = f"* {number} FETCH (UID {number}"
            if (found := _FETCHED.search(rest)) is not None:
                content = mail.content[: int(found["size"])] if found["size"] else mail.content
                part = "BODY[]<0>" if found["size"] else "BODY[]"
                self._writer.write(f"{head} {part} {{{len(content)}}}\r\n".encode() + content + b")\r\n")
                if "PEEK" not in rest.upper():
                    self._store.flag(number, "\\Seen")
            else:
                self._say(f"{head} FLAGS ({' '.join(sorted(mail.flags))}))")
        return "OK fetched"

    def _mails(self) -> list[Mail]:
        return self._store.mails("returned")

    def _named(self, rest: str) -> Iterable[tuple[int, Mail]]:
        for part in rest.partition(" ")[0].split(","):
            first, _, last = part.partition(":")
            end = int(last) if last.isdigit() else (int(first) if not last else 1 << 62)
            yield from ((mail.uid, mail) for mail in self._mails() if int(first) <= mail.uid <= end)

    def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())


@contextlib.asynccontextmanager
async def listening(giver: MailGiver, port: int) -> AsyncIterator[None]:
    """Give bounces while this is entered."""
    server = await asyncio.start_server(giver.serve, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
