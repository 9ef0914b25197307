"""Why what was closed does not reach the dossier, in three languages (P6)."""

from sqlalchemy.ext.asyncio import AsyncConnection

from koppel_connector.contract import Problem, ProblemCatalogue, ProblemKind
from koppel_mesh import outbox
from koppel_mesh.messages import DeliveryChanged, DeliveryState, ProblemData
from koppel_mesh.prepared_sql import Record

OURSELVES = "pos-ingest"
CATALOGUE = ProblemCatalogue(
    (
        ProblemKind(
            "receipts_refused",
            "accountant",
            nl="Het dossier neemt de factuur van de dagontvangsten niet aan: {answer}. Kijk het dossier en het ontvangstenboek"
            " na en probeer opnieuw.",
            fr="Le dossier n'accepte pas la facture des recettes : {answer}. Vérifiez le dossier et le livre de recettes, et"
            " réessayez.",
            en="The dossier does not take the invoice of the receipts: {answer}. Check the dossier and the receipt book, and try"
            " again.",
            blocks=True,
        ),
        ProblemKind(
            "customer_ambiguous",
            "accountant",
            nl="De dagontvangsten zijn afgesloten, maar {customers} klanten van het dossier zijn {name}. Zet de code van de"
            " juiste klant in het ontvangstenboek, of pas de relaties aan, en probeer opnieuw.",
            fr="Les recettes sont clôturées, mais {customers} clients du dossier sont {name}. Mettez le code du bon client dans"
            " le livre de recettes, ou adaptez les relations, et réessayez.",
            en="The receipts are closed, but {customers} customers of the dossier are {name}. Put the code of the right one in"
            " the receipt book, or change the relations, and try again.",
            blocks=True,
        ),
        ProblemKind(
            "sales_invoice_refused",
            "accountant",
            nl="Het dossier neemt de factuur niet aan: {answer}. Kijk het dossier en de factuur na en probeer opnieuw.",
            fr="Le dossier n'accepte pas la facture : {answer}. Vérifiez le dossier et la facture et réessayez.",
            en="The dossier does not take the invoice: {answer}. Check the dossier and the invoice, and try again.",
            blocks=True,
        ),
        ProblemKind(
            "cash_statement_refused",
            "accountant",
            nl="Het dossier neemt het uittreksel van het kasboek niet aan: {answer}. Kijk het dossier en het kasboek na en"
            " probeer opnieuw.",
            fr="Le dossier n'accepte pas l'extrait du livre de caisse : {answer}. Vérifiez le dossier et le livre de caisse, et"
            " réessayez.",
            en="The dossier does not take the statement of the cash book: {answer}. Check the dossier and the cash book, and try"
            " again.",
            blocks=True,
        ),
    )
)


def render(problem: Problem) -> ProblemData:
    """Return a problem in three languages."""
    return CATALOGUE.render(problem)


async def tell(tx: AsyncConnection, row: Record, problem: ProblemData | None) -> None:
    """Tell dossier-api what stops a row of ``hand_in``, or that nothing does any more.

    It is a delivery to the dossier itself, of a document that is not there yet.
    """
    event = DeliveryChanged(
        delivery_id=row.id,
        document_id=row.id,
        revision=1,
        connector=OURSELVES,
        connection_id=row.dossier_id,
        state=DeliveryState.BLOCKED if problem else DeliveryState.SUPERSEDED,
        version=row.problem_version,
        firm_id=row.firm_id,
        dossier_id=row.dossier_id,
        problem=problem,
    )
    await outbox.publish(tx, event)
