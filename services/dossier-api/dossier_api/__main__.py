"""Run this service alone: ``python -m dossier_api``."""

from koppel_mesh.runtime import main

from .service import SERVICE

main(SERVICE)
