"""Names of keys as people, websites, taggers and DJ programs write them.

The words stand in one table, in eleven languages. *Wheels.* A number with A or B is Camelot (Mixed In Key; 8B is
C major), a number with m or d Open Key (Traktor and Beatport; 1d is C major).
"""

from __future__ import annotations

import re

# Notes: letters, then syllables, Cyrillic, Japanese and Korean names. H is B, and see `_one_key` on the German B.
_NOTES = {
    **dict(zip("cdefgabh", (0, 2, 4, 5, 7, 9, 11, 11), strict=True)),
    **{"do": 0, "ut": 0, "re": 2, "mi": 4, "fa": 5, "sol": 7, "la": 9, "si": 11},
    **{"до": 0, "ре": 2, "ми": 4, "фа": 5, "соль": 7, "ля": 9, "си": 11},
    **dict(zip("ハニホヘトイロ", (0, 2, 4, 5, 7, 9, 11), strict=True)),
    **dict(zip("다라마바사가나", (0, 2, 4, 5, 7, 9, 11), strict=True)),
}
# Sharps and flats; those of the second line are written before the note.
_SIGNS = {
    **dict.fromkeys(("#", "♯", "sharp", "is", "diese", "diez", "diesis", "sostenido", "sustenido", "диез"), 1),
    **dict.fromkeys(("b", "♭", "flat", "es", "s", "bemol", "bemolle", "бемоль"), -1),
    "♮": 0,
}
_SIGNS_BEFORE = {"嬰": 1, "升": 1, "올림": 1, "変": -1, "變": -1, "降": -1, "내림": -1}
# The German endings is, es and s, which mean nothing behind a note without one of the long words of a mode.
_ENDINGS = ("is", "es", "s")
_MAJOR = "major maj ma majeur maggiore mayor maior dur majore ionian мажор 長調 长调 大调 大調 장조 groot"
_MINOR = "m minor min mi mineur minore menor moll minor aeolian минор 短調 短调 小调 小調 단조 klein"
_MODES = {**dict.fromkeys(_MAJOR.split(), 1), **dict.fromkeys(_MINOR.split(), 0)}
_GERMAN = ("dur", "moll")


def _any(words: object) -> str:
    """Pattern of any of some words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_NAMED = re.compile(
    rf"(?P<before>{_any(_SIGNS_BEFORE)})?(?P<note>{_any(_NOTES)})[\s_-]*(?P<sign>{_any(_SIGNS)})?[\s_-]*"
    rf"(?:natural|harmonic|melodic)?\s*(?P<mode>{_any(_MODES)})?\.?"
)
_WHEEL = re.compile(rf"0?(\d{{1,2}})[\s-]*([abdm])(?:[\s-]+(?:{_any(_MODES)}))?")
# Two names of one key, or a key and something else beside it: `8A/Am`, `8A - Energy 7`, `F♯/G♭ minor`.
_PARTS = re.compile(r"\s*[/\\,;|()\[\]=·•]\s*|\s+[-–—]+\s+|\s+or\s+")
# What is written beside a key, and is none: energy, tempo, tuning, confidence.
_BESIDE = (
    re.compile(r"(?:energy|nrg)\s*(?:level)?\s*[:=-]?\s*\d+(?:[.,]\d+)?"),
    re.compile(r"[+±−-]?\s*\d+(?:[.,]\d+)?\s*(?:cents?|ct|¢|hz|bpm|%)"),
    re.compile(r"(?<=[^\d\s])\s*[+±−]\s*\d+(?:[.,]\d+)?\s*$"),
    re.compile(r"(?<=[^\d\s])\s*[–—_-]\s*\d+(?:[.,]\d+)?\s*$|^\s*\d+(?:[.,]\d+)?\s*[–—_-]\s*(?=\d*\D)"),
    re.compile(r"(?<=[^\d\s])\s+\d+(?:[.,]\d+)?\s*$"),
)
_WORDS = re.compile(
    r"^(?:initial\s*key|musical\s*key|key\s+of|key|camelot|open\s*key|tonart|tonalite|tonality|in)\b\s*[:=]?\s*"
    r"|\s*\b(?:key|camelot|open\s*key)$"
)
_ACCENTS = str.maketrans("éèêàáâóòôíîúüＡＢ＃", "eeeaaaoooiiuuab#")
_UPPER_M = re.compile(r"(?<=[A-Ha-h#b♯♭])\s?M$")
_TWO_NOTES = re.compile(r"\b[A-Ha-h]\s+B\b")  # a flat behind a space is written small: `La b majeur`
_SHORTEST_LONG_WORD, _LONGEST = 4, 80


def parse_key(text: str) -> tuple[int, int] | None:
    """Read a key in any common spelling: `8A`, `1m`, `Am`, `F♯/G♭ minor`, `8A - Energy 7`, `fis-Moll`, `la m`.

    A note alone is major, as DJ programs write it; `read_key` tells. Several names at once must agree; energy,
    tempo and tuning beside a key are passed over.

    Parameters
    ----------
    text : str

    Returns
    -------
    (int, int) or None
        Key 0-11 and mode 0 or 1; None if the text is not a key.

    Examples
    --------
    >>> parse_key("8A"), parse_key("fis-Moll"), parse_key("F♯/G♭ minor"), parse_key("H9")
    ((9, 0), (6, 0), (6, 0), None)
    """
    key = read_key(text)
    return None if key is None else (key[0], 1 if key[1] is None else key[1])


def read_key(text: str) -> tuple[int, int | None] | None:
    """Read a key as `parse_key`, with None as the mode where the text is a note alone.

    Examples
    --------
    >>> read_key("A"), read_key("A minor")
    ((9, None), (9, 0))
    """
    if len(text) > _LONGEST or _TWO_NOTES.search(text):
        return None
    text = _UPPER_M.sub(" major", text.strip().strip("\"'*~?").strip())
    text = text.casefold().translate(_ACCENTS)
    if (whole := _one_key(_WORDS.sub("", text))) is not None:
        return whole
    for pattern in _BESIDE[:2]:
        text = pattern.sub("/", text)
    parts = [_WORDS.sub("", part.strip()).strip(" .-–—_") for part in _PARTS.split(text)]
    return _together([part for part in parts if part and not re.fullmatch(r"[+±−-]?\d+(?:[.,]\d+)?", part)])


def _together(parts: list[str]) -> tuple[int, int | None] | None:
    """The key that all parts of a text name; a word for the mode counts for notes without one: `G#/Ab minor`."""
    keys: list[tuple[int, int | None]] = []
    modes: set[int] = set()
    for part in parts:
        if part in _MODES:
            modes.add(_MODES[part])
            continue
        for pattern in (None, *_BESIDE[2:]):
            key = _one_key(pattern.sub("", part).strip() if pattern else part)
            if key is not None:
                break
        if key is None:
            return None
        keys.append(key)
    modes |= {mode for _, mode in keys if mode is not None}
    if len({note for note, _ in keys}) != 1 or len(modes) > 1:
        return None
    return keys[0][0], next(iter(modes), None)


def _one_key(text: str) -> tuple[int, int | None] | None:
    """Key and mode of one name in lower case, the mode None where only a note is named."""
    if wheel := _WHEEL.fullmatch(text):
        number, letter = int(wheel[1]), wheel[2]
        if not 1 <= number <= 12:
            return None
        position = (number - (8 if letter in "ab" else 1)) % 12
        mode = 1 if letter in "bd" else 0
        return (7 * position - 3 * (1 - mode)) % 12, mode
    named = _NAMED.fullmatch(text)
    if not named:
        return None
    sign, word = named["sign"] or "", named["mode"] or ""
    if sign in _ENDINGS and len(word) < _SHORTEST_LONG_WORD and word != "dur":
        return None
    step = _SIGNS.get(sign, 0) + _SIGNS_BEFORE.get(named["before"] or "", 0)
    # With the German words for the modes, B is B flat.
    german_b = word in _GERMAN and named["note"] == "b" and not sign
    return (_NOTES[named["note"]] + step - german_b) % 12, _MODES.get(word)
