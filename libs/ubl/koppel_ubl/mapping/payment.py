"""Payment means with account, card or mandate (BG-16 to BG-19), and the terms (BT-20)."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from lxml import etree

from koppel_ubl.model import PaymentMeans

from .aggregate import (
    CAC,
    CBC,
    Aggregate,
    Notes,
    Values,
    aggregate,
    built,
    day,
    into,
    required,
    sole,
    text,
    text_with,
    texts,
)

_FIELDS = tuple(each.name for each in fields(PaymentMeans))


_INSTITUTION = f"{CAC}PayeeFinancialAccount/{CAC}FinancialInstitutionBranch/{CAC}FinancialInstitution"


def _means(values: Values, element: etree._Element, notes: Notes) -> PaymentMeans:
    institution = values.pop("institution", None)
    if institution is not None and values.setdefault("bic", institution) != institution:
        notes.skip_below(element, _INSTITUTION)
    if "references" in values:
        values["references"] = tuple(values["references"])
    instructions = values.pop("instruction_notes", None)
    if instructions:
        values["instruction_note"] = instructions[0]
        if len(instructions) > 1:
            notes.skip(element.findall(CBC + "InstructionNote")[1])
    return built(PaymentMeans, values)


def _of_means(means: PaymentMeans) -> Mapping[str, Any]:
    values = {name: getattr(means, name) for name in _FIELDS}
    values["instruction_notes"] = (means.instruction_note,) if means.instruction_note else ()
    return values


_BRANCH = aggregate(
    text("cbc:ID", "bic"),
    sole("cac:FinancialInstitution", "cbc:ID", "institution", read_only=True),
)
MEANS = Aggregate(
    (
        required(text_with("cbc:PaymentMeansCode", "code", name="text")),
        day("cbc:PaymentDueDate", "due_date"),
        text("cbc:InstructionID", "instruction"),
        texts("cbc:InstructionNote", "instruction_notes"),
        texts("cbc:PaymentID", "references"),
        into(
            "cac:CardAccount",
            aggregate(
                required(text("cbc:PrimaryAccountNumberID", "card_number")),
                required(text("cbc:NetworkID", "card_network")),
                text("cbc:HolderName", "card_holder"),
            ),
        ),
        into(
            "cac:PayeeFinancialAccount",
            aggregate(
                text("cbc:ID", "account"),
                text("cbc:Name", "account_name"),
                into("cac:FinancialInstitutionBranch", _BRANCH),
            ),
        ),
        into(
            "cac:PaymentMandate",
            aggregate(
                text("cbc:ID", "mandate"),
                sole("cac:PayerFinancialAccount", "cbc:ID", "debited_account"),
            ),
        ),
    ),
    _means,
    _of_means,
)
TERMS = aggregate(texts("cbc:Note", "notes"))
