"""``python -m koppel_sandbox.octopus --port N [--data FOLDER]``: the sandbox alone."""

from koppel_sandbox.command import run_alone

from .app import create_app

run_alone(lambda _, folder: create_app(data_dir=folder), default_port=8101)
