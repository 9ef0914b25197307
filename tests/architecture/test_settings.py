"""Every setting of every service stands in the operator's example file, nothing else does, and its marks are true.

Why: an operator cannot turn what nobody tells of, and a line that no service reads is believed to work. What is marked as needed
and is not refused when it lacks is found out by the first document; what is refused and not marked, by the first rollout.
"""

import os
import re
from typing import Any

import pytest
import typer
from cryptography.fernet import Fernet
from pydantic import ValidationError

from koppel_local.cli import app
from koppel_mesh.service import installed_services
from koppel_mesh.settings import MeshSettings

NOT_OURS = {"OTEL_EXPORTER_OTLP_ENDPOINT"}
NOT_NEEDED = {("OctopusServiceSettings", "KOPPEL_SMTP_URL"), ("WebhookSettings", "KOPPEL_SMTP_URL")}
"""Octopus is mailed to only where its API refuses files: without a server those documents wait. Owners of webhook endpoints are
told by a problem too."""
EXAMPLES = {"KOPPEL_SMTP_URL": "smtp://mail.koppel.example", "KOPPEL_MAIL_FROM": "billmail@koppel.example"}
"""Values of what is no address on the web."""
_LINE = re.compile(r"^# ([A-Z_]+)=(.*)$", re.MULTILINE)


def lines(checkout: Any) -> dict[str, str]:
    """Return what the example says of each variable."""
    return dict(_LINE.findall((checkout.root / "deploy" / "env.example").read_text("utf-8")))


def settings_classes() -> set[type[MeshSettings]]:
    return {service.settings for service in installed_services().values()}


def variable(field: str) -> str:
    return f"KOPPEL_{field.upper()}"


def test_the_example_names_every_setting(checkout: Any) -> None:
    read = {variable(field) for settings in settings_classes() for field in settings.model_fields}
    commands: Any = typer.main.get_command(app)
    read |= {option.envvar for command in commands.commands.values() for option in command.params if option.envvar}
    assert len(read) > 20
    assert set(lines(checkout)) - NOT_OURS == read


def test_production_refuses_to_start_without_what_is_marked_and_nothing_else(
    checkout: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = [name for name, said in lines(checkout).items() if "(!)" in said]
    for name in [name for name in os.environ if name.startswith("KOPPEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KOPPEL_ENV", "production")
    for name in marked:
        secret_or_url = Fernet.generate_key().decode() if "SECRET" in name else "https://koppel.example"
        monkeypatch.setenv(name, EXAMPLES.get(name, secret_or_url))
    for settings in settings_classes():
        assert settings().env == "production"
    for name in marked:
        owners = [each for each in settings_classes() if name in map(variable, each.model_fields)]
        assert owners
        for settings in owners:
            with monkeypatch.context() as patch:
                patch.delenv(name)
                if (settings.__name__, name) in NOT_NEEDED:
                    settings()
                    continue
                with pytest.raises(ValidationError) as refused:
                    settings()
            assert name.removeprefix("KOPPEL_").lower() in str(refused.value).lower(), settings
