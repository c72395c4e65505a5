"""Text as people mean it: one spelling for what they would call the same title or name.

Everything works on Arrow arrays, so that a million titles take about a second; a single text is an
array of one.
"""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

# Letters that Unicode does not decompose into a plain letter and an accent, and signs used as letters.
_LETTERS = {"ß": "ss", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i"}
# What is said of a recording, not part of the song's name. Years count only beside "remaster".
VERSION_WORDS = (
    r"(?:remaster(?:ed)?|remix|mix|edit|version|live|mono|stereo|demo|acoustic|instrumental|karaoke|radio|extended"
    r"|deluxe|bonus|unplugged|session|sessions|rework|cover|dub|club|original|single|album|explicit|clean|anniversary"
    r"|edition|feat|ft|featuring|with|from|recorded|reprise|vivo|directo|versao|akustik"
    r"|acustic[oa]|acoustique|remasterizad[oa]|take|outtake|a cappella|acapella|sped up|slowed)"
)
# Said of the same recording. Live, remix or acoustic make it another: of such pairs half agree in key, against
# nine in ten of those with one title and eight in ten of those that differ in these.
_SAID = (
    r"(?:feat\b|ft\b|featuring\b|with\b|(?:\d{4} )?(?:digital(?:ly)? )?remaster|explicit|clean|album version"
    r"|single version|original mix|bonus track|from the |from \")"
)
RELEASE_REMARKS = (
    r"\s*[(\[]" + _SAID + r"[^()\[\]]*[)\]]",
    r"\s+-\s+" + _SAID + r".*$",
    r"\s+(?:feat|ft|featuring)\b\.?\s.*$",
)
# A track's URI or link on Spotify; the group is its id.
TRACK_LINK = r"^(?:spotify:track:|https?://open\.spotify\.com/(?:intl-\w+/)?track/)(\w+).*$"
_BRACKET = r"\s*[(\[][^()\[\]]*\b" + VERSION_WORDS + r"\b[^()\[\]]*[)\]]"
_DASH = r"\s+-\s+(?:[^-]*\b)?(?:" + VERSION_WORDS + r"\b|\d{4}$).*$"
_FEATURING = r"\s+(?:feat|ft|featuring)\b\.?\s.*$"
_DASHES, _APOSTROPHES, _INSIDE = "‐‑‒–—―−", "‘’ʼ`´", "[a-z0-9]"
# The same for Python's own engine, which `song_key` uses; to Arrow's, a word ends where its ASCII letters do.
_VERSION = [re.compile(pattern, re.ASCII) for pattern in (_BRACKET, _DASH, _FEATURING)]
_MARKS = str.maketrans({**dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_APOSTROPHES, "'"), **_LETTERS})
# What parts an artist from a title.
_NAME_DASH = re.compile(r"\s+[-–—]\s+")
_INNER, _PARTS = re.compile(f"({_INSIDE})!({_INSIDE})"), re.compile(r"[\W_]+")


def _where(texts: pa.Array, mask: pa.Array, change: list[tuple[str, str]]) -> pa.Array:
    """Apply regex replacements to the texts under the mask only: most texts need none of them."""
    if not pc.any(mask).as_py():
        return texts
    some = texts.filter(mask)
    for pattern, replacement in change:
        some = pc.replace_substring_regex(some, pattern, replacement)
    return pc.replace_with_mask(texts, pc.fill_null(mask, False), some)


def fold_accents(texts: pa.Array) -> pa.Array:
    """Lower case without accents, punctuation kept: `Beyoncé – “Halo”` becomes `beyonce - "halo"`."""
    texts = pc.utf8_lower(texts)
    foreign = pc.invert(pc.string_is_ascii(texts))
    if not pc.any(foreign).as_py():
        return texts
    some = texts.filter(foreign)
    for pattern, replacement in ((f"[{_DASHES}]", "-"), (f"[{_APOSTROPHES}]", "'")):
        some = pc.replace_substring_regex(some, pattern, replacement)
    for letter, replacement in _LETTERS.items():
        some = pc.replace_substring(some, letter, replacement)
    some = pc.replace_substring_regex(pc.utf8_normalize(some, "NFKD"), r"\p{Mn}+", "")
    return pc.replace_with_mask(texts, pc.fill_null(foreign, False), some)


def normalise(texts: pa.Array) -> pa.Array:
    """Words alone, one space between them: apostrophes and full stops join, other punctuation parts.

    Takes what `plain` returns. `A$AP`, `P!nk` and `R.E.M.` become asap, pink and rem; `&` becomes and.
    """
    odd = pc.match_substring_regex(texts, r"[^a-z0-9 ]|^ | $|  ")
    return _where(
        texts,
        odd,
        [
            (r"['.]", ""),
            (f"({_INSIDE})!({_INSIDE})", r"\1i\2"),
            (r"\$", "s"),
            ("&", " and "),
            (r"[^\p{L}\p{N}]+", " "),
            (r"^ | $", ""),
        ],
    )


def without_version(texts: pa.Array) -> pa.Array:
    """Titles without what is said of the recording: `(feat. X)`, `- Remastered 2011`, `[Live]`.

    Takes what `plain` returns; a title that is nothing else keeps it.
    """
    marked = pc.match_substring_regex(texts, r"[(\[]| - | feat| ft")
    short = _where(texts, marked, [(_BRACKET, ""), (_DASH, ""), (_FEATURING, "")])
    short = pc.utf8_trim_whitespace(short)
    return pc.if_else(pc.fill_null(pc.equal(normalise(short), ""), False), texts, short)


def recording_titles(titles: pa.Array) -> pa.Array:
    """Titles in one spelling for all releases of a recording, null where unknown; a remix is another recording."""
    titles = fold_accents(titles)
    marked = pc.match_substring_regex(titles, r"[(\[]| - | feat| ft")
    short = _where(titles, marked, [(pattern, "") for pattern in RELEASE_REMARKS])
    folded = normalise(short)
    return pc.if_else(pc.equal(folded, ""), pa.scalar(None, pa.string()), folded)


def split_names(text: str) -> list[tuple[str, str]]:
    """Artist and title that a text `artist - title` may mean: one pair for each of its dashes.

    Examples
    --------
    >>> split_names("Corro - Tide - Part 2")
    [('Corro', 'Tide - Part 2'), ('Corro - Tide', 'Part 2')]
    """
    pairs = [(text[: dash.start()].strip(), text[dash.end() :].strip()) for dash in _NAME_DASH.finditer(text)]
    return [(artist, title) for artist, title in pairs if artist and title]


def fold_isrcs(isrcs: pa.Array) -> pa.Array:
    """ISRCs as twelve capital letters and digits, null where a text is none.

    Examples
    --------
    >>> fold_isrcs(pa.array(["us-abc-12-34567", "unknown"])).to_pylist()
    ['USABC1234567', None]
    """
    folded = pc.utf8_upper(pc.replace_substring_regex(isrcs, r"[^0-9A-Za-z]", ""))
    valid = pc.match_substring_regex(folded, r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$")
    return pc.if_else(valid, folded, pa.scalar(None, pa.string()))


def printable(text: str | None) -> str:
    """Text of a stranger without line breaks, control characters and marks that turn the writing around."""
    return "".join(c if c.isprintable() else " " for c in text or "").strip()


def song_key(title: str | None, artist: str | None) -> str:
    """Name under which every version of a song by its first artist is the same song; empty if untitled.

    The same folding as `words(without_version(plain(...)))`, for one text at a time.
    """
    if not title:
        return ""
    song = _plain(title)
    for pattern in _VERSION:
        song = pattern.sub("", song)
    return f"{_words(_plain(artist or ''))}\t{_words(song) or _words(_plain(title))}"


def _plain(text: str) -> str:
    text = text.lower()
    if text.isascii():
        return text
    letters = unicodedata.normalize("NFKD", text.translate(_MARKS))
    return "".join(c for c in letters if unicodedata.category(c) != "Mn")


def _words(text: str) -> str:
    text = _INNER.sub(r"\1i\2", text.replace("'", "").replace(".", ""))
    return " ".join(_PARTS.split(text.replace("$", "s").replace("&", " and "))).strip()
