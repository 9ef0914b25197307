"""Run webhooks alone in a pod."""

from koppel_mesh.runtime import main

from .service import SERVICE

main(SERVICE)
