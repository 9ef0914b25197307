"""What the tables of export-scheduler hold of firms: when documents go, which no duty keeps once their firm leaves."""

from koppel_mesh.firm_data import FirmData, Holding, brussels_day

from . import tables

_DAY = f"greatest(document_on, {brussels_day('created_at')})"
_EXPORTED_ON = brussels_day("created_at")

FIRM_DATA = FirmData(
    holdings=(
        Holding(
            table=tables.delivery,
            of_firm="document_id IN (SELECT document_id FROM document WHERE firm_id = :firm_id)",
            since=f"(SELECT {_DAY} FROM document WHERE document.document_id = delivery.document_id)",
            aged_by="document_id",
        ),
        Holding(
            table=tables.export_item,
            of_firm="export_id IN (SELECT export_id FROM export WHERE firm_id = :firm_id)",
            since=f"(SELECT {_EXPORTED_ON} FROM export WHERE export.export_id = export_item.export_id)",
            aged_by="export_id",
        ),
        Holding(table=tables.export, of_firm="firm_id = :firm_id", since=_EXPORTED_ON, aged_by="export_id"),
        Holding(table=tables.document, of_firm="firm_id = :firm_id", since=_DAY, aged_by="document_id"),
        Holding(
            table=tables.connection,
            of_firm="dossier_id IN (SELECT dossier_id FROM dossier WHERE firm_id = :firm_id)",
        ),
        Holding(table=tables.dossier, of_firm="firm_id = :firm_id"),
    ),
)
