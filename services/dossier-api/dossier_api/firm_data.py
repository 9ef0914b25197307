"""What the tables of dossier-api hold of firms."""

from koppel_mesh.firm_data import FirmData, Holding, brussels_day

from . import tables

_OF_DOSSIER = "dossier_id IN (SELECT id FROM dossier WHERE firm_id = :firm_id)"
_NO_BOOKKEEPING = "'awaiting_entry', 'dropped'"
_DAY = f"greatest(issue_date, {brussels_day('created_at')})"
"""Of a document: one that is handed in late is kept from then."""
_OF_DOCUMENT = f"(SELECT {_DAY} FROM document WHERE document.id = {{}}.document_id)"
_KEPT_DAY = f"CASE WHEN state NOT IN ({_NO_BOOKKEEPING}) THEN {_DAY} END"
_OF_KEPT_DOCUMENT = f"(SELECT {_KEPT_DAY} FROM document WHERE document.id = {{}}.document_id)"

FIRM_DATA = FirmData(
    holdings=(
        Holding(
            table=tables.problem,
            of_firm="firm_id = :firm_id",
            since=_OF_DOCUMENT.format("problem"),
            aged_by="document_id",
        ),
        Holding(
            table=tables.delivery,
            of_firm="document_id IN (SELECT id FROM document WHERE firm_id = :firm_id)",
            since=_OF_KEPT_DOCUMENT.format("delivery"),
            kept_because="the entry number under which a kept document stands in the books",
            aged_by="document_id",
            blanked={"problem": "NULL", "warnings": "'[]'"},
        ),
        Holding(
            table=tables.document,
            of_firm="firm_id = :firm_id",
            since=_KEPT_DAY,
            kept_because="invoices and other documents of the bookkeeping (VAT code, article 60 §§ 1 and 4)",
            aged_by="id",
        ),
        Holding(table=tables.counterparty_answer, of_firm=_OF_DOSSIER),
        Holding(table=tables.relation, of_firm=_OF_DOSSIER),
        Holding(table=tables.ledger_account, of_firm=_OF_DOSSIER),
        Holding(table=tables.connection, of_firm=_OF_DOSSIER),
        Holding(
            table=tables.dossier,
            of_firm="firm_id = :firm_id",
            since=f"(SELECT max({_KEPT_DAY}) FROM document WHERE document.dossier_id = dossier.id)",
            kept_because="whose documents the kept ones are",
            blanked={"email": "NULL", "reference": "NULL"},
            stays_with_firm=True,
        ),
    ),
    nothing_of_a_firm={
        "content_to_erase": "hashes of bytes that no document names, until these are erased",
        "content_named": "hashes of bytes by the ids of the documents that name them; a row goes with its document",
        "content_to_read": "the id up to which the documents of an earlier version were read",
    },
)
