"""Why a document cannot be booked as it stands: a code and its particulars, the same for every vendor.

The connector kit holds the sentences in three languages and says who can fix each; it turns ``CannotBook`` into the
delivery's problem.
"""

from enum import StrEnum


class Reason(StrEnum):
    """What this library refuses. The values are the codes of the problems that people see."""

    KIND_NOT_SUPPORTED = "kind_not_supported"
    DOCUMENT_UNREADABLE = "document_unreadable"
    DOCUMENT_TOTALS_WRONG = "document_totals_wrong"
    DOCUMENT_CURRENCY_UNCLEAR = "document_currency_unclear"
    JOURNAL_MISSING = "journal_missing"
    JOURNAL_UNKNOWN = "journal_unknown"
    JOURNAL_BLOCKED = "journal_blocked"
    JOURNAL_WRONG_TYPE = "journal_wrong_type"
    CURRENCY_NOT_ALLOWED = "currency_not_allowed"
    EXCHANGE_RATE_MISSING = "exchange_rate_missing"
    LEDGER_ACCOUNT_MISSING = "ledger_account_missing"
    LEDGER_ACCOUNT_UNKNOWN = "ledger_account_unknown"
    LEDGER_ACCOUNT_BLOCKED = "ledger_account_blocked"
    LEDGER_ACCOUNT_WRONG_TYPE = "ledger_account_wrong_type"
    UNKNOWN_VAT_CODE = "unknown_vat_code"
    VAT_CODE_BLOCKED = "vat_code_blocked"
    VAT_CODE_NOT_ALLOWED = "vat_code_not_allowed"
    VAT_PERCENTAGE_DIFFERS = "vat_percentage_differs"
    VAT_AMOUNT_NOT_ALLOWED = "vat_amount_not_allowed"
    PAYMENT_CONDITION_MISSING = "payment_condition_missing"


class CannotBook(Exception):
    """The document cannot be booked as it stands.

    ``code`` is a ``Reason``, or a code from the connector's own catalogue; ``detail`` says what exactly is wrong.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = str(code)
        self.detail = detail
