"""What the tables of connector-coda hold of firms: what was read of statements, whose files dossier-api keeps.

Balances stay as long as the firm does, for the chain of an account begins with its first statement; its movements, which name
people, end by their age.
"""

from koppel_mesh.firm_data import FirmData, Holding

from . import tables

_OF_DOSSIER = "dossier_id IN (SELECT id FROM dossier WHERE firm_id = :firm_id)"
_OF_DOCUMENT = "document_id IN (SELECT id FROM document WHERE firm_id = :firm_id)"
_OF_ACCOUNT = "account_id IN (SELECT id FROM account WHERE firm_id = :firm_id)"

FIRM_DATA = FirmData(
    holdings=(
        Holding(table=tables.delivery, of_firm=_OF_DOCUMENT),
        Holding(
            table=tables.line,
            of_firm=f"statement_id IN (SELECT id FROM statement WHERE {_OF_ACCOUNT})",
            since="greatest(entry_on, (SELECT closes_on FROM statement WHERE statement.id = line.statement_id))",
        ),
        Holding(table=tables.accepted_gap, of_firm=_OF_ACCOUNT),
        Holding(table=tables.statement, of_firm=_OF_ACCOUNT),
        Holding(table=tables.payment_key, of_firm="firm_id = :firm_id"),
        Holding(table=tables.document, of_firm="firm_id = :firm_id"),
        Holding(table=tables.account, of_firm="firm_id = :firm_id"),
        Holding(table=tables.connection, of_firm=_OF_DOSSIER),
        Holding(table=tables.dossier, of_firm="firm_id = :firm_id"),
    ),
)
