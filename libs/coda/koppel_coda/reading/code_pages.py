"""Finds which of three code pages a text is in that is no UTF-8: a byte is a character in each, but seldom the same one.

The likely page makes words: letters that Dutch and French use, among letters of their own case, and punctuation where it
belongs. ``é`` of cp850 is ``‚`` in cp1252, its ``Ç`` is ``€`` there and its ``Ë`` an ``Ó``; where the bytes allow both, it is
cp1252.
"""

import re

_FREQUENT = frozenset("éèêëàâäçïîôöûüùÉÈÊËÀÂÄÇÏÎÔÖÜ")
_OCCASIONAL = frozenset("áíóúñãõåøæœßÿìòýÁÍÓÚÑÃÕÅØÆŒÌÒÝÛÙ")
_SELDOM = frozenset("šžŠŽŸ")
_MONEY = frozenset("€£¥")
_ALONE = frozenset("àÀ")
_SIGNS = frozenset("€£¥§°²³´¨«»–—‘’“”…·½¼¾±ºª©®™•")
_PLACES = re.compile(rb"[\x00-\x7f]?[\x80-\xff]+[\x00-\x7f]?")
_ENOUGH = 1_000
"""So many places decide, also of a large file."""
_UNDEFINED = "\ufffd"
_LIKELIER_BY = 2


def code_page(data: bytes) -> str:
    """Return ``cp1252``, ``iso8859-15`` or ``cp858`` (cp850 with the euro)."""
    places = []
    for place in _PLACES.finditer(data):
        places.append(place.group())
        if len(places) == _ENOUGH:
            break
    sample = b"\n".join(places)
    likeliest, best = "cp1252", _sense(sample.decode("cp1252", "replace"))
    for name in ("iso8859-15", "cp858"):
        sense = _sense(sample.decode(name))
        if sense >= best + _LIKELIER_BY:
            likeliest, best = name, sense
    return likeliest


def _sense(text: str) -> int:
    """Return how much sense the characters outside ASCII make."""
    framed = f" {text} "
    return sum(
        _of_character(here, before, after)
        for before, here, after in zip(framed, framed[1:], framed[2:], strict=False)
        if not here.isascii()
    )


def _of_character(here: str, before: str, after: str) -> int:
    letters = [one for one in (before, after) if one.isalpha()]
    if here in _FREQUENT or here in _OCCASIONAL or here in _SELDOM:
        if not letters:
            return 1 if here in _ALONE else -1
        if here == "Ô" and (before == "I" or after in "CDGRSV"):
            return 0  # no word: the bytes are LIÈGE or DERNIÈRE in cp850
        other_case = all(one.isupper() is not here.isupper() for one in letters)
        return (3 if here in _FREQUENT else 1 if here in _OCCASIONAL else 0) - other_case
    if here not in _SIGNS:
        return -3 if here == _UNDEFINED or here < "\xa0" else -2
    if here in _MONEY:
        return 1 - len(letters) - (len(letters) == 2)
    if here == "’" and len(letters) == 2:
        return 1
    if here == "°" and before in "nN":
        return 3
    if here in "“”":
        return 2 if len(letters) < 2 and (before if here == "“" else after).isspace() else -1
    if here == "…":
        return 2 if before.isalnum() and not letters[1:] else -1
    if here == "·":
        return -1
    return -1 if len(letters) == 2 else 0
