"""Code lists of Peppol BIS Billing, where they are narrower than those of EN 16931; the long ones are in ``checking/codes``.

A new release changes the lists and ``RELEASE`` together.
"""

from koppel_ubl.checking.codes import codes

RELEASE = "3.0.21 (May 2026)"

INVOICE_TYPES = codes("peppol_invoice_types")
CREDIT_NOTE_TYPES = frozenset({"81", "83", "381", "396", "532"})
SELF_BILLED_INVOICE_TYPES = frozenset({"389", "527"})
SELF_BILLED_CREDIT_NOTE_TYPES = frozenset({"261"})
PERIOD_CODES = frozenset({"3", "35", "432"})
"""UNCL 2005."""
ALLOWANCE_REASONS = codes("allowance_reasons")
"""UNCL 5189."""
CHARGE_REASONS = codes("charge_reasons")
"""UNCL 7161."""
CURRENCIES = codes("peppol_currencies")
"""ISO 4217."""
ENDPOINT_SCHEMES = codes("peppol_endpoint_schemes")
"""EAS, as far as the network routes it."""
ATTACHMENT_TYPES = frozenset(
    {
        "application/pdf",
        "image/png",
        "image/jpeg",
        "text/csv",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.spreadsheet",
    }
)
