"""``python -m koppel_sandbox.exact --port N [--data FOLDER]``: the sandbox alone."""

import argparse
import sys
from pathlib import Path

import uvicorn

from .app import create_app
from .persistence import UnreadableStateError

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, default=8100)
parser.add_argument(
    "--data", type=Path, help="folder in which it keeps what it knows; without it, a restart begins anew"
)
arguments = parser.parse_args()
try:
    app = create_app(f"http://127.0.0.1:{arguments.port}", data_dir=arguments.data)
except (UnreadableStateError, OSError) as error:
    sys.exit(str(error))
uvicorn.run(app, host="127.0.0.1", port=arguments.port, access_log=False)
