"""``python -m koppel_sandbox.NAME --port N [--data FOLDER]``: a sandbox alone."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from .installed import SandboxError


def run_alone(create_app: Callable[[str, Path | None], ASGIApp], default_port: int) -> None:
    """Serve a sandbox until it is stopped.

    Args:
        create_app: takes its address, and the folder of its data (None: in memory).
        default_port: where it listens when ``--port`` is not given.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=default_port)
    parser.add_argument(
        "--data", type=Path, help="folder in which it keeps what it knows; without it, a restart begins anew"
    )
    arguments = parser.parse_args()
    try:
        app = create_app(f"http://127.0.0.1:{arguments.port}", arguments.data)
    except (SandboxError, OSError) as error:
        sys.exit(str(error))
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, access_log=False)
