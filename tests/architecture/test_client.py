"""The client that partners and `koppel` use has every call, as the services describe it now."""

from deploy.client import output


def test_the_generated_client_is_that_of_the_document() -> None:
    wanted = output.generated()
    committed = {path.name: path.read_text("utf-8") for path in output.FOLDER.glob("*.py")}
    differing = sorted(name for name in wanted.keys() | committed if wanted.get(name) != committed.get(name))
    assert not differing, f"the OpenAPI document changed: run `make client` ({', '.join(differing)})"
