"""Words of a playlist's title."""

from __future__ import annotations

import unicodedata

# Characters of a title that are read; titles of the Million Playlist Dataset have at most 100.
MAX_LENGTH = 200
# First and last code points of scripts without spaces between words: Thai to Burmese, Khmer, kana, Bopomofo, the
# ideographs.
_UNSPACED = (
    *((0x0E00, 0x109F), (0x1780, 0x17FF), (0x3040, 0x312F), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF)),
    *((0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x20000, 0x3FFFF)),
)
# Accents, not the vowel signs of Indian scripts, which are letters to those who read them.
_ACCENTS = range(0x0300, 0x0370)
# Variation selectors, skin tones and joiners of emoji, which do not change what an emoji shows.
_LOOKS = {0x200D, 0x20E3, *range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400), *range(0xE0000, 0xE01F0)}
_JOINED = "'’‘ʼ`´."


def tokens(title: str) -> list[str]:
    """Normalised words of a title; each emoji and each character of a script without spaces is a word.

    Case, accents, compatibility forms (NFKC) and variants of emoji are folded; apostrophes and full stops join words,
    other punctuation separates them.

    Examples
    --------
    >>> tokens("Beyoncé’s 90s 🏖️☀️")
    ['beyonces', '90s', '🏖', '☀']
    """
    folded = unicodedata.normalize("NFKD", title[:MAX_LENGTH]).casefold()
    folded = "".join(c for c in folded if ord(c) not in _ACCENTS)
    folded = unicodedata.normalize("NFKC", folded)[:MAX_LENGTH]
    found, word = [], ""
    for c in folded:
        if ord(c) in _LOOKS or c in _JOINED:
            continue
        kind = unicodedata.category(c)
        alone = kind in ("So", "Sk", "Sm", "Sc") or _unspaced(c)
        if kind[0] in "LNM" and not alone:
            word += c
            continue
        if word:
            found.append(word)
            word = ""
        if alone:
            found.append(c)
        elif c == "&":
            found.append("and")
    return [*found, word] if word else found


def parts_of_word(word: str) -> list[str]:
    """Runs of three and four letters of a word between its borders `<` and `>`, by which unknown words are known.

    Source: Bojanowski et al. (2017), "Enriching Word Vectors with Subword Information".

    Examples
    --------
    >>> parts_of_word("gym")
    ['<gy', 'gym', 'ym>', '<gym', 'gym>']
    """
    marked = f"<{word}>"
    return [marked[i : i + n] for n in (3, 4) for i in range(len(marked) - n + 1)] if len(word) > 1 else []


def _unspaced(c: str) -> bool:
    return any(first <= ord(c) <= last for first, last in _UNSPACED)
