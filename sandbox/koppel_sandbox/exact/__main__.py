"""``python -m koppel_sandbox.exact --port N [--data FOLDER]``: the sandbox alone."""

from koppel_sandbox.command import run_alone

from .app import create_app

run_alone(lambda address, folder: create_app(address, data_dir=folder), default_port=8100)
