"""The kit's lineage: the tables that every connector has beside those of mesh."""

from pathlib import Path

from koppel_connector import tables
from koppel_connector.firm_data import FIRM_DATA
from koppel_mesh.migrations import Lineage

KIT = Lineage(
    name="connector-kit",
    versions=Path(__file__).parent / "versions",
    models=tables.metadata,
    handover={"0001": "0001", "0002": "0002"},
    firm_data=FIRM_DATA,
)
