"""Master data of a company: what the dossier says, and beside it what the till's vendor wrote."""

import json
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import bindparam, select

from koppel_mesh.prepared_sql import Statement
from koppel_ubl.identifiers import normalise_enterprise_number
from pos_ingest.fields import Whole
from pos_ingest.json_columns import loaded

from .call import Call, ScradaBody
from .errors import ErrorCode, ErrorType, ScradaError
from .tables import scrada_company

LANGUAGE_IDS: Final = {
    "nl": "e1e8395c-35b3-4282-89db-3feeaacc23bd",
    "fr": "5300381e-f434-4e01-a1f8-53e7676d4cac",
    "en": "68f89f67-b153-43e6-b9a6-f8d73b56a67a",
}
BELGIUM_ID: Final = "12b741b9-c0ad-42b5-8471-e720763f3227"

Written = Annotated[str | None, Field(pattern=r"^[^\x00]*$")]

_READ = Statement(select(scrada_company.c.data).where(scrada_company.c.dossier_id == bindparam("dossier_id")))
_KEEP = Statement("""
    INSERT INTO scrada_company AS known (dossier_id, firm_id, data) VALUES (:dossier_id, :firm_id, CAST(:data AS jsonb))
    ON CONFLICT (dossier_id) DO UPDATE SET data = known.data || excluded.data
""")


class Company(ScradaBody):
    """What may be written; what is left out, or null, stays as it is."""

    active: bool | None = None
    code: Written = Field(None, max_length=200)
    name: Written = Field(None, max_length=200)
    email: Written = Field(None, max_length=250)
    street: Written = Field(None, max_length=1000)
    zip_code: Written = Field(None, max_length=50)
    city: Written = Field(None, max_length=250)
    tax_number: Written = Field(None, max_length=30)
    vat_number: Written = Field(None, max_length=30)
    phone: Written = Field(None, max_length=50)
    invoice_info: Whole | None = Field(None, ge=1, le=3)
    invoice_email: Written = Field(None, max_length=250)


async def read(call: Call) -> dict[str, Any]:
    """Return the company."""
    async with call.context.database.reading() as reading:
        row = await _READ.one_or_none(reading, {"dossier_id": call.company.dossier_id})
    number = call.company.enterprise_number
    known = {
        "id": str(call.company.dossier_id),
        "active": True,
        "code": "",
        "name": call.company.name,
        "email": None,
        "street": None,
        "zipCode": None,
        "city": None,
        "countryID": BELGIUM_ID,
        "taxNumber": number,
        "vatNumber": f"BE{number}",
        "phone": None,
        "reportLanguageID": LANGUAGE_IDS.get(call.company.language),
        "invoiceInfo": 1,
    }
    return known | (loaded(row.data) if row else {})


async def write(call: Call) -> None:
    """Keep what is given. Whose number it is does not change: a VAT number of another company is refused."""
    given = await call.body(Company)
    for number in (given.tax_number, given.vat_number):
        if number and normalise_enterprise_number(number) != call.company.enterprise_number:
            raise ScradaError(400, ErrorType.VALIDATION, ErrorCode.OTHER_VAT_NUMBER, (number,))
    said = given.model_dump(by_alias=True, exclude_none=True, exclude={"tax_number", "vat_number"})
    async with call.context.database.transaction() as tx:
        values = {"dossier_id": call.company.dossier_id, "firm_id": call.company.firm_id, "data": json.dumps(said)}
        await _KEEP.run(tx, values)
