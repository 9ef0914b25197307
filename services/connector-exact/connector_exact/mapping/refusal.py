"""Why a document cannot be written as an entry, before Exact is asked anything."""


class CannotBook(Exception):
    """The mapping stops here: ``code`` names the problem of the catalogue, ``detail`` what exactly is wrong."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
