"""Write the rules of Prometheus and the dashboard of Grafana beside this file."""

import json
from pathlib import Path

import yaml

from .grafana import dashboard
from .prometheus import groups

FOLDER = Path(__file__).parent
_MADE = "# Made by `make monitoring` from the alerts that metrics declare; change those.\n"


def files() -> dict[str, str]:
    """Return what each file holds, by its name."""
    return {
        "prometheus-rules.yaml": _MADE + yaml.safe_dump(groups(), sort_keys=False, width=1000),
        "grafana-dashboard.json": json.dumps(dashboard(), indent=2) + "\n",
    }


if __name__ == "__main__":
    for name, content in files().items():
        (FOLDER / name).write_text(content, "utf-8")
