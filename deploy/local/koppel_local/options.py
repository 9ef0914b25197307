"""What several commands take: where Koppel answers, and as whom they speak to it."""

from typing import Annotated

import typer

DEFAULT_URL, DEMO_ID, DEMO_PASS = "http://127.0.0.1:8000", "demo", "demo-secret"
Url = Annotated[str, typer.Option(envvar="KOPPEL_PUBLIC_URL", help="Where Koppel answers.")]
InternalUrl = Annotated[
    str | None,
    typer.Option(
        envvar="KOPPEL_INTERNAL_URL", help="Where a service answers inside the cluster, such as http://{service}."
    ),
]
ClientId = Annotated[str, typer.Option(envvar="KOPPEL_CLIENT_ID", help="OAuth client.")]
ClientSecret = Annotated[str, typer.Option(envvar="KOPPEL_CLIENT_SECRET", help="Its secret.", show_default=False)]
