"""Numbers of parties that carry a scheme Peppol can test: GLN, enterprise and VAT numbers of ten countries.

Releases: 3.0.21 of May 2026. There 0096 and 0198 became fatal and the Dutch numbers were added as warnings.
"""

import re
from collections.abc import Callable

from koppel_ubl import check_digits
from koppel_ubl.checking.engine import Facts, Node, Value, normalised
from koppel_ubl.report import Severity

from .patterns import EVERYTHING
from .xpath import Path, string

_TAX_SCHEME_ID = Path("cac:TaxScheme/cbc:ID")


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _add(
    rule_id: str,
    scheme: str,
    severity: Severity,
    names: tuple[str, str, str],
    test: Callable[[str], bool],
    *,
    as_written: bool = False,
    endpoint_only: bool = False,
) -> None:
    """Add the rule of one scheme; ``as_written`` keeps white space, which the official Danish rules do not forgive."""
    paths = (
        ("cbc:EndpointID",) if endpoint_only else ("cbc:EndpointID", "cac:PartyIdentification/cbc:ID", "cbc:CompanyID")
    )
    context = EVERYTHING.on(*paths, scheme=scheme)
    nl, fr, en = names

    def holds(node: Node, facts: Facts) -> bool:
        return test(string(node) if as_written else normalised(string(node)))

    context.rule(
        rule_id,
        severity,
        "BT-29",
        nl=f"Dit is geen geldig {nl} (schema {scheme}).",
        fr=f"Ce n'est pas un {fr} valable (schéma {scheme}).",
        en=f"This is not a valid {en} (scheme {scheme}).",
    )(holds)


_CVR = _matches(r"(?:DK)?[0-9]{8}")
_NL_VAT = _matches(r"NL[0-9]{9}B[0-9]{2}")

_add("PEPPOL-COMMON-R040", "0088", "fatal", ("GLN", "GLN", "GLN"), check_digits.is_gln)
_add(
    "PEPPOL-COMMON-R041",
    "0192",
    "fatal",
    ("Noors organisatienummer", "numéro d'organisation norvégien", "Norwegian organisation number"),
    check_digits.is_norwegian_number,
)
_add(
    "PEPPOL-COMMON-R042",
    "0184",
    "fatal",
    ("Deens CVR-nummer", "numéro CVR danois", "Danish CVR number"),
    _CVR,
    as_written=True,
)
_add(
    "PEPPOL-COMMON-R052",
    "0096",
    "fatal",
    ("Deens P-nummer", "numéro P danois", "Danish P number"),
    _matches(r"[0-9]{10}"),
    as_written=True,
)
_add(
    "PEPPOL-COMMON-R053",
    "0198",
    "fatal",
    ("Deens SE-nummer", "numéro SE danois", "Danish SE number"),
    _matches(r"DK[0-9]{8}"),
    as_written=True,
)
_add(
    "PEPPOL-COMMON-R043",
    "0208",
    "fatal",
    ("Belgisch ondernemingsnummer", "numéro d'entreprise belge", "Belgian enterprise number"),
    check_digits.is_belgian_enterprise,
)
_add(
    "PEPPOL-COMMON-R044",
    "0201",
    "warning",
    ("Italiaanse IPA-code", "code IPA italien", "Italian IPA code"),
    check_digits.is_italian_office,
)
_add(
    "PEPPOL-COMMON-R045",
    "0210",
    "warning",
    ("Italiaans fiscaal nummer", "code fiscal italien", "Italian tax code"),
    check_digits.is_italian_tax_code,
)
_add(
    "PEPPOL-COMMON-R046",
    "9907",
    "warning",
    ("Italiaans fiscaal nummer", "code fiscal italien", "Italian tax code"),
    check_digits.is_italian_tax_code,
    endpoint_only=True,
)
_add(
    "PEPPOL-COMMON-R047",
    "0211",
    "warning",
    ("Italiaans btw-nummer", "numéro de TVA italien", "Italian VAT number"),
    check_digits.is_italian_vat,
)
_add(
    "PEPPOL-COMMON-R049",
    "0007",
    "fatal",
    ("Zweeds organisatienummer", "numéro d'organisation suédois", "Swedish organisation number"),
    lambda text: len(text) == 10 and check_digits.is_swedish_number(text),
)
_add(
    "PEPPOL-COMMON-R050",
    "0151",
    "fatal",
    ("Australisch ABN", "ABN australien", "Australian ABN"),
    check_digits.is_australian_business,
)
_add(
    "PEPPOL-COMMON-R054",
    "0106",
    "warning",
    ("Nederlands KVK-nummer", "numéro KVK néerlandais", "Dutch KVK number"),
    _matches(r"[0-9]{8}"),
)
_add(
    "PEPPOL-COMMON-R055",
    "0190",
    "warning",
    ("Nederlands OIN", "OIN néerlandais", "Dutch OIN"),
    _matches(r"[0-9]{20}"),
)
_add(
    "PEPPOL-COMMON-R056-1",
    "9944",
    "warning",
    ("Nederlands btw-nummer", "numéro de TVA néerlandais", "Dutch VAT number"),
    _NL_VAT,
)


def _is_dutch_vat(node: Value, facts: Facts) -> bool:
    return node.starts_with("NL") and _TAX_SCHEME_ID.value(node.group) == "VAT"


_dutch_vat = EVERYTHING.on("cac:PartyTaxScheme/cbc:CompanyID", where=_is_dutch_vat)


@_dutch_vat.rule(
    "PEPPOL-COMMON-R056-2",
    "warning",
    "BT-31",
    nl="Een Nederlands btw-nummer heeft de vorm NL123456789B12.",
    fr="Un numéro de TVA néerlandais a la forme NL123456789B12.",
    en="A Dutch VAT number has the form NL123456789B12.",
)
def dutch_vat_has_its_form(node: Node, facts: Facts) -> bool:
    return _NL_VAT(normalised(string(node)))


_add(
    "PEPPOL-COMMON-R057",
    "0217",
    "warning",
    ("Nederlands vestigingsnummer", "numéro d'établissement néerlandais", "Dutch establishment number"),
    _matches(r"[0-9]{12}"),
)
