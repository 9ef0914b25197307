"""A bucket of S3 on the loopback: it may take long over what it was asked to erase, and do it when nobody waits any more."""

import asyncio
import hashlib
import re

from koppel_connector.testing.loopback import LoopbackServer, Request, http_answer

_KEY = re.compile("<Key>([^<]+)</Key>")
"""Of DeleteObjects, by which obstore erases one object as well."""


class ObjectStore(LoopbackServer):
    """Keeps objects by their path; calls to erase wait in ``late`` while ``is_slow``."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.is_slow = False
        self.is_cutting_off = False
        """Whether it ends the connection of a call that waits."""
        self.late: list[str] = []
        self.was_called = asyncio.Event()

    def carry_out(self) -> None:
        """Do what it was asked to, late."""
        for path in self.late:
            del self.objects[path]
        self.late.clear()

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        path = request.target.partition("?")[0]
        if request.method == "PUT":
            self.objects[path] = request.body
            writer.write(http_answer(200, b"", {"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'}))
        elif request.method == "POST":
            key = _KEY.findall(request.body.decode())[0]
            self.was_called.set()
            if self.is_slow:
                self.late.append(f"{path}/{key}")
                if not self.is_cutting_off:
                    await asyncio.Event().wait()
                return False
            self.objects.pop(f"{path}/{key}", None)
            deleted = f"<DeleteResult><Deleted><Key>{key}</Key></Deleted></DeleteResult>"
            writer.write(http_answer(200, deleted.encode(), {"Content-Type": "application/xml"}))
        elif (data := self.objects.get(path)) is None:
            writer.write(http_answer(404, b""))
        else:
            headers = {"ETag": '"1"', "Last-Modified": "Wed, 25 Nov 2026 10:00:00 GMT"}
            writer.write(http_answer(200, data, headers))
        return True
