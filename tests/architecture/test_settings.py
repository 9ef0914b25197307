"""Every setting of every service stands in the operator's example file, and nothing else does.

Why: an operator cannot turn what nobody tells of, and a line that no service reads is believed to work.
"""

import re
from typing import Any

from koppel_mesh.service import installed_services

NOT_OURS = {"OTEL_EXPORTER_OTLP_ENDPOINT"}


def test_the_example_names_every_setting(checkout: Any) -> None:
    told = set(
        re.findall(r"^# ([A-Z_]+)=", (checkout.root / "deploy" / "env.example").read_text("utf-8"), re.MULTILINE)
    )
    read = {
        f"KOPPEL_{name.upper()}" for service in installed_services().values() for name in service.settings.model_fields
    }
    assert len(read) > 20
    assert told - NOT_OURS == read
