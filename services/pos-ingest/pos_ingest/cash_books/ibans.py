"""An account number for a drawer, which has none: packages choose the journal of a statement by its IBAN.

The National Bank gives the bank codes 985 to 988 to nobody (its list of 1 October 2022), so a number that begins with one of them
is no account of anybody's, and its check digits are right all the same.
"""

from uuid import UUID

FREE_BANK_CODES = range(985, 989)
_NUMBERS = 10**7
"""A Belgian account number is the bank code, seven digits and two check digits."""


def fictitious_iban(drawer: UUID, attempt: int = 0) -> str:
    """Return the IBAN of a drawer; a higher ``attempt`` gives another one, for when a drawer of the dossier has it already."""
    place = (drawer.int + attempt) % (len(FREE_BANK_CODES) * _NUMBERS)
    number = f"{FREE_BANK_CODES[place // _NUMBERS]}{place % _NUMBERS:07}"
    bban = f"{number}{int(number) % 97 or 97:02}"
    return f"BE{98 - int(f'{bban}111400') % 97:02}{bban}"
