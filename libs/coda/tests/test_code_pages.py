"""Words of Belgian names and texts, in every code page in which files were seen."""

import pytest

import koppel_coda

from .samples import sample

FILE = "bakery-two-days.cod"
WORDS = (
    "CAFÉ FRANÇOIS MÜLLER KÖLN BELGIË TÊTE CHÂTEAU NAÏF NOËL ZOË LIÈGE ÉCOLE DÜSSELDORF SEÑOR",
    "Café François Müller Köln België tête château naïf Noël Zoë août coût où ça hôtel école Liège",
    "à",
    "€",
    "£",
    "N° 12",
    "cœur",
    "L’EAU",
    "“Hoekje”",
    "CAFé",
)


ENCODINGS = ("utf-8", "cp1252", "cp850", "cp858", "iso8859-15", "utf-16", "cp1140")


def writable(word: str, encoding: str) -> bool:
    try:
        word.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


CASES = [
    (word, encoding)
    for words in WORDS
    for word in (words.split() if len(words) > 20 else [words])
    for encoding in ENCODINGS
    if writable(word, encoding)
]


def test_few_words_cannot_be_written_in_a_code_page() -> None:
    words = sum(len(words.split()) if len(words) > 20 else 1 for words in WORDS)
    assert len(CASES) == words * len(ENCODINGS) - 12, "such as the euro sign in cp850"


@pytest.mark.parametrize(("word", "encoding"), CASES)
def test_one_word_is_enough_to_tell_the_code_page(word: str, encoding: str) -> None:
    name = f"HUIS {word} BV"
    text = sample(FILE).decode("ascii").replace(f"{'CAFE HET HOEKJE':35}", f"{name:35}")
    counterparty = koppel_coda.read(text.encode(encoding))[0].movements[0].counterparty
    assert counterparty is not None
    assert counterparty.name == name


def test_where_bytes_allow_two_words_it_is_cp1252() -> None:
    assert "HÔTEL".encode("cp850") == "HâTEL".encode("cp1252")
    text = sample(FILE).decode("ascii").replace("CAFE HET HOEKJE", "HâTEL HOEKJE   ")
    counterparty = koppel_coda.read(text.encode("cp1252"))[0].movements[0].counterparty
    assert counterparty is not None
    assert counterparty.name == "HâTEL HOEKJE"
