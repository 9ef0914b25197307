"""Run connector-octopus alone."""

from koppel_mesh.runtime import main

from .service import SERVICE

main(SERVICE)
