"""What can be wrong with bytes handed in as UBL, and with a document that is to be written as UBL."""

from .report import Finding


class ReadError(Exception):
    """The bytes are not a UBL invoice or credit note that can be read.

    Attributes:
        code: stable name of what is wrong, such as ``doctype``, ``not_well_formed``, ``wrong_root``, ``invalid_number``.
        message: one English sentence.
        line: line in the bytes, counted from 1; None where it is not known.
        column: always None: a place in XML is its line and path.
        path: path of the element, without prefixes; None where it is not known: ``Invoice/LegalMonetaryTotal/PayableAmount``.
    """

    column: None = None

    def __init__(self, code: str, message: str, *, line: int | None = None, path: str | None = None) -> None:
        where = "".join((f" at {path}" if path else "", f" (line {line})" if line else ""))
        super().__init__(f"{message}{where}")
        self.code = code
        self.message = message
        self.line = line
        self.path = path


class WriteError(ValueError):
    """The document cannot be written so that the schema accepts it.

    Attributes:
        code: stable name of what is wrong: ``missing``, ``invalid_character``, ``invalid_number``.
        message: one English sentence.
        path: path of the element, without prefixes.
    """

    def __init__(self, code: str, message: str, path: str) -> None:
        super().__init__(f"{message} at {path}")
        self.code = code
        self.message = message
        self.path = path


class BuildError(WriteError):
    """The document would break rules.

    Attributes:
        findings: each broken rule, with its sentence and place.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        broken = "; ".join(dict.fromkeys(f"{one.rule}: {one.message}" for one in findings))
        super().__init__("rule", broken, findings[0].path or "")
        self.findings = findings
