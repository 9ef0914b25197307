"""``python -m koppel_sandbox.mail --port N [--data FOLDER]``: the sandbox alone, with SMTP and IMAP on ports that it prints."""

import argparse
import asyncio
import sys
from pathlib import Path

import uvicorn

from koppel_sandbox.installed import SandboxError

from .sandbox import environment, start


async def _serve(port: int, folder: Path | None) -> None:
    variables = environment(f"http://127.0.0.1:{port}")
    for name, value in variables.items():
        sys.stdout.write(f"{name}={value}\n")
    sys.stdout.flush()
    async with start(variables["KOPPEL_SMTP_URL"], folder) as app:
        await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, access_log=False)).serve()


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, default=8120, help="of the pages")
parser.add_argument("--data", type=Path, help="folder in which mails are kept; without it, a restart begins anew")
arguments = parser.parse_args()
try:
    asyncio.run(_serve(arguments.port, arguments.data))
except SandboxError as error:
    sys.exit(str(error))
