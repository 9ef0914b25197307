"""``koppel readable``: the PDF that people can read of a UBL file, without a running mesh."""

from pathlib import Path

import koppel_readable
import koppel_ubl

from .user_errors import UserError


def make_readable(file: Path, output: Path, language: koppel_readable.Language) -> None:
    """Write the PDF of a UBL file.

    Raises:
        UserError: the file cannot be read, holds no invoice or credit note, or the PDF cannot be written.
    """
    try:
        ubl = file.read_bytes()
        output.write_bytes(koppel_readable.readable_pdf(koppel_ubl.read(ubl), language=language, ubl=ubl))
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}.") from error
    except koppel_ubl.ReadError as error:
        raise UserError(f"{file}: {error}") from error
