"""``python -m koppel_sandbox.exact --port N``: the sandbox alone."""

import argparse

import uvicorn

from .app import create_app

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, default=8100)
arguments = parser.parse_args()
uvicorn.run(create_app(f"http://127.0.0.1:{arguments.port}"), host="127.0.0.1", port=arguments.port, access_log=False)
