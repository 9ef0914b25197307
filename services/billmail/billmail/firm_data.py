"""What the tables of billmail's own hold of firms: periods mailed to an office, whose documents dossier-api keeps."""

from koppel_mesh.firm_data import FirmData, Holding, brussels_day

from . import tables

FIRM_DATA = FirmData(
    holdings=(
        Holding(
            table=tables.period_mail,
            of_firm="firm_id = :firm_id",
            since=brussels_day("requested_at"),
            under_way="state = 'sending'",
            aged_by="id",
        ),
    ),
)
