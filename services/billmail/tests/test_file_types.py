"""Types of files that a receiver reads."""

import pytest

from billmail.attaching import File, insist_on_taken
from billmail.profiles import PROFILES
from koppel_connector import Rejected


def test_another_format_is_taken() -> None:
    only_pdf = PROFILES["generic"].model_copy(update={"takes": frozenset({"pdf"})})
    with pytest.raises(Rejected) as refused:
        insist_on_taken(only_pdf, (File("1.xml", b"<Invoice/>"),))
    assert refused.value.problem is not None and refused.value.problem.code == "file_type_not_taken"
    insist_on_taken(only_pdf, (File("1.pdf", b"%PDF-1.4"),))
