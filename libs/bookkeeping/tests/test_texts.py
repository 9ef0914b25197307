"""Texts of an entry: cut to a width, and only payment references with right check digits."""

import pytest

from koppel_bookkeeping.texts import clipped, structured_payment_reference


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("090933755493", "+++090/9337/55493+++"),
        ("+++090/9337/55493+++", "+++090/9337/55493+++"),
        ("***090/9337/55493***", "+++090/9337/55493+++"),
        ("090.9337.55493", "+++090/9337/55493+++"),
        ("090933755494", None),
        ("RF18 5390 0754 7034", "RF18539007547034"),
        ("rf18539007547034", "RF18539007547034"),
        ("RF19539007547034", None),
        ("Invoice 42", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_proven_structured_reference_is_one(written: str | None, sent: str | None) -> None:
    assert structured_payment_reference(written) == sent


def test_a_long_text_is_cut_on_one_line() -> None:
    assert clipped("a\r\n b  c", 60) == "a b c"
    assert clipped("x" * 60, 60) == "x" * 60
    assert clipped("x" * 61, 60) == "x" * 59 + "…"
