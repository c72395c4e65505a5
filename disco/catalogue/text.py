"""Normalised titles and names: one spelling for what people would call the same.

Functions work on Arrow arrays, so that a million titles take about a second; a single text is an array of one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Letters that Unicode does not decompose into a plain letter and an accent, and signs used as letters.
_LETTERS = {"ß": "ss", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i"}
# Words of remarks on a version or release, which are not part of the song's name.
VERSION_WORDS = (
    r"(?:remaster(?:ed)?|remix|mix|edit|version|live|mono|stereo|demo|acoustic|instrumental|karaoke|radio|extended"
    r"|deluxe|bonus|unplugged|session|sessions|rework|cover|dub|club|original|single|album|explicit|clean|anniversary"
    r"|edition|feat|ft|featuring|with|from|recorded|reprise|vivo|directo|versao|akustik"
    r"|acustic[oa]|acoustique|remasterizad[oa]|take|outtake|a cappella|acapella|sped up|slowed)"
)
# Remarks on a release of the same recording. Live, remix or acoustic make it another: of such pairs half agree in
# key, against nine in ten of those with one title and eight in ten of those that differ in these remarks.
_RELEASE_REMARK = (
    r"(?:feat\b|ft\b|featuring\b|with\b|(?:\d{4} (?:- )?)?(?:digital(?:ly)? )?remaster|explicit|clean|album version"
    r"|single version|original mix|bonus track|from the |from \")"
)
RELEASE_REMARKS = (
    r"\s*[(\[]" + _RELEASE_REMARK + r"[^()\[\]]*[)\]]",
    r"\s+-\s+" + _RELEASE_REMARK + r".*$",
    r"\s+(?:feat|ft|featuring)\b\.?\s.*$",
)
# Where a remark begins behind which nothing is compared, what in it names no version, and what does.
_REMARK_TAIL = r"(?:\s+-\s+" + _RELEASE_REMARK + r"|\s(?:feat|ft|featuring)\b).*$"
_NO_VERSION = r"original mix|album version|single version|from \".*?\""
_VERSION_MARK = (
    r"\b(?:live|remix|mix|edit|dub|acoustic|instrumental|demo|karaoke|extended|unplugged"
    r"|(?:pt|part)\b\.?\s*(?:\d+|[ivx]+)|i{2,3}|iv)\b"
)
# A track's URI or link on Spotify; the group is its id.
TRACK_LINK = r"^(?:spotify:track:|https?://open\.spotify\.com/(?:intl-\w+/)?track/)(\w+).*$"
_BRACKET = r"\s*[(\[][^()\[\]]*\b" + VERSION_WORDS + r"\b[^()\[\]]*[)\]]"
_DASH = r"\s+-\s+(?:\d{4}\s+-\s+)?(?:[^-]*\b)?(?:" + VERSION_WORDS + r"\b|\d{4}$).*$"
_FEATURING = r"\s+(?:feat|ft|featuring)\b\.?\s.*$"
_DASHES, _APOSTROPHES, _INSIDE = "‐‑‒–—―−", "‘’ʼ`´", "[a-z0-9]"
# For `str.translate`: dashes, apostrophes and letters that are none with an accent, as fold_accents has them.
PLAIN_LETTERS = str.maketrans({**dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_APOSTROPHES, "'"), **_LETTERS})
# The longest text of a track, in characters, and the longest path or id; none is longer in earnest. Of longer ones so
# much is looked at.
LONGEST, LONGEST_PATH, _LOOKED_AT = 1000, 5000, 1_000_000
# The most artists or genres of one track; a DJ mix or a sampler has a few dozen.
MOST_NAMES = 200
# What separates an artist from a title; white space before it is not searched, which would take quadratic time.
_NAME_DASH = re.compile(r"(?<=\s)[-–—](?=\s)")
_ASCII_SEPARATORS = r"[\x00-/:-@\[-`{-\x7f]+"
_LONG_BLANK = re.compile(r"\s{8,}", re.ASCII)
_INNER, _SEPARATORS = re.compile(f"({_INSIDE})!({_INSIDE})"), re.compile(r"[\W_]+")


def _where(texts: pa.Array, mask: pa.Array, change: list[tuple[str, str]]) -> pa.Array:
    """Apply regex replacements to the texts under the mask only: most texts need none of them."""
    if not pc.any(mask).as_py():
        return texts
    some = texts.filter(mask)
    for pattern, replacement in change:
        some = pc.replace_substring_regex(some, pattern, replacement)
    return pc.replace_with_mask(texts, pc.fill_null(mask, False), some)


def fold_accents(texts: pa.Array) -> pa.Array:
    """Lower case without accents; punctuation stays.

    Examples
    --------
    >>> fold_accents(pa.array(["Beyoncé – Halo"])).to_pylist()
    ['beyonce - halo']
    """
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
    """Words separated by single spaces: apostrophes and full stops are dropped, other punctuation separates.

    Parameters
    ----------
    texts : pa.Array of string
        As `fold_accents` returns them.

    Examples
    --------
    >>> normalise(pa.array(["a$ap", "p!nk", "r.e.m.", "iron & wine"])).to_pylist()
    ['asap', 'pink', 'rem', 'iron and wine']
    """
    odd = pc.match_substring_regex(texts, r"[^a-z0-9 ]|^ | $|  ")
    texts = _where(
        texts,
        odd,
        [
            (r"['.]", ""),
            (f"({_INSIDE})!({_INSIDE})", r"\1i\2"),
            (r"\$", "s"),
            ("&", " and "),
            (_ASCII_SEPARATORS, " "),
            (r"^ | $", ""),
        ],
    )
    # Most texts are ASCII by now, and to compile this takes as long as 10,000 of them.
    foreign = pc.invert(pc.string_is_ascii(texts))
    return _where(texts, foreign, [(r"[^\p{L}\p{N}]+", " "), (r"^ | $", "")])


def without_version(texts: pa.Array) -> pa.Array:
    """Titles without remarks on the version; a title that is nothing else keeps it.

    Parameters
    ----------
    texts : pa.Array of string
        As `fold_accents` returns them.

    Examples
    --------
    >>> without_version(pa.array(["halo (feat. x)", "halo - remastered 2011", "halo [live]", "(live)"])).to_pylist()
    ['halo', 'halo', 'halo', '(live)']
    """
    marked = pc.match_substring_regex(texts, r"[(\[]| - | feat| ft")
    short = _where(texts, marked, [(_BRACKET, ""), (_DASH, ""), (_FEATURING, "")])
    short = pc.utf8_trim_whitespace(short)
    return pc.if_else(pc.fill_null(pc.equal(normalise(short), ""), False), texts, short)


def whole_titles(titles: pa.Array) -> pa.Array:
    """Normalised titles with all their remarks; null where unknown or without a word.

    Examples
    --------
    >>> whole_titles(pa.array(["Halo (feat. X)", "!?"])).to_pylist()
    ['halo feat x', None]
    """
    folded = normalise(fold_accents(titles))
    return pc.if_else(pc.equal(folded, ""), pa.scalar(None, pa.string()), folded)


def recording_titles(titles: pa.Array) -> pa.Array:
    """Normalised titles, the same for all releases of a recording; null where unknown or without a word.

    Examples
    --------
    >>> recording_titles(pa.array(["Halo (feat. X)", "HALO - 2011 Remaster", "Halo (Live)"])).to_pylist()
    ['halo', 'halo', 'halo live']
    """
    titles = fold_accents(titles)
    marked = pc.match_substring_regex(titles, r"[(\[]| - | feat| ft")
    short = _where(titles, marked, [(pattern, "") for pattern in RELEASE_REMARKS])
    folded = normalise(short)
    return pc.if_else(pc.equal(folded, ""), pa.scalar(None, pa.string()), folded)


def version_marks(titles: pa.Array) -> pa.Array:
    """Words of another version behind a remark on the release, empty where there are none; null where unknown.

    `recording_titles` leaves out all that follows such a remark, and with it what makes another recording.

    Examples
    --------
    >>> version_marks(pa.array(["Halo - 2011 Remaster", "Halo - Remaster - Live", "Halo feat. X, Pt. 2"])).to_pylist()
    ['', 'live', 'pt 2']
    """
    folded = fold_accents(titles)
    marked = pc.fill_null(pc.match_substring_regex(folded, _REMARK_TAIL), False)
    empty = pc.if_else(pc.is_valid(titles), "", pa.scalar(None, pa.string()))
    if not pc.any(marked).as_py():
        return empty
    found = [_marks(title) for title in folded.filter(marked).to_pylist()]
    return pc.replace_with_mask(empty, marked, pa.array(found, pa.string()))


def _marks(title: str) -> str:
    tail = re.search(_REMARK_TAIL, title)
    rest = re.sub(_NO_VERSION, " ", tail[0] if tail else "")
    return " ".join(sorted(_normalise(mark) for mark in re.findall(_VERSION_MARK, rest)))


def split_names(text: str) -> list[tuple[str, str]]:
    """Artists and titles that a text `artist - title` may mean: one pair for each of its dashes.

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


def clean_text(text: str, longest: int = LONGEST) -> str:
    r"""A text as it may enter: halves of characters as question marks, and an endless one cut off.

    A text of more than `longest` characters has its white space made single spaces, and is then cut there.
    Whoever makes texts of a file, or of what a service or person says, has them cleaned here; `Entry` does it.

    Examples
    --------
    >>> clean_text("half \ud83d"), len(clean_text("Night" + " " * 100_000 + "Bus")), clean_text("Night  Bus")
    ('half ?', 9, 'Night  Bus')
    """
    if len(text) > longest:
        text = " ".join(text[:_LOOKED_AT].split())[:longest]
    return text if text.isascii() else text.encode(errors="replace").decode()


def clean_value(value: Any) -> Any:
    """A value of a track, or a list of such, whose texts Arrow can store; see `clean_text`."""
    if isinstance(value, list | tuple):
        return [clean_value(each) for each in value]
    return clean_text(value, LONGEST_PATH) if isinstance(value, str) else value


def clean_table(table: pa.Table) -> pa.Table:
    """A table of tracks whose texts are cut off as by `clean_text`, and whose lists have at most `MOST_NAMES`.

    Only columns with such a text are touched: to see that there is none takes 1 ms for a million texts.
    """
    for i, field in enumerate(table.schema):
        column = table.column(i)
        longest = LONGEST_PATH if field.name in ("path", "track_id") else LONGEST
        if pa.types.is_string(field.type):
            if (pc.max(pc.binary_length(column)).as_py() or 0) <= longest:
                continue
            long = pc.fill_null(pc.greater(pc.utf8_length(column), longest), False)
            clean = pa.array([clean_text(text, longest) for text in column.filter(long).to_pylist()], pa.string())
            column = pc.replace_with_mask(column.combine_chunks(), long.combine_chunks(), clean)
        elif pa.types.is_list(field.type):
            texts = pc.list_flatten(column)
            most = pc.max(pc.list_value_length(column)).as_py() or 0
            if most <= MOST_NAMES and (pc.max(pc.binary_length(texts)).as_py() or 0) <= longest:
                continue
            rows = [row and [name and clean_text(name) for name in row[:MOST_NAMES]] for row in column.to_pylist()]
            column = pa.array(rows, field.type)
        else:
            continue
        table = table.set_column(i, field, column)
    return table


def printable(text: str | None) -> str:
    r"""Text from a file or service that is safe to print: no line breaks, control or bidirectional characters.

    Examples
    --------
    >>> printable("Night\nBus")
    'Night Bus'
    """
    return "".join(c if c.isprintable() else " " for c in text or "").strip()


@lru_cache(maxsize=4096)  # candidates are asked about when they are found, and when they are put in order
def song_key(title: str | None, artist: str | None) -> str:
    """First artist and title without remarks, which all versions of a song share; empty if untitled.

    Folds one text as `normalise(without_version(fold_accents(...)))` folds an array.

    Examples
    --------
    >>> song_key("Halo - Live", "Beyoncé") == song_key("Halo (feat. X)", "Beyonce")
    True
    """
    if not title:
        return ""
    # Patterns that may begin with white space would look at each run of it again from each of its places.
    song = _LONG_BLANK.sub(" ", _fold_accents(title))
    for pattern in _version():
        song = pattern.sub("", song)
    return f"{_normalise(_fold_accents(artist or ''))}\t{_normalise(song) or _normalise(_fold_accents(title))}"


@cache
def _version() -> list[re.Pattern[str]]:
    """Remarks for Python's `re`; ASCII, since in RE2 a word ends where its ASCII letters do."""
    return [re.compile(pattern, re.ASCII) for pattern in (_BRACKET, _DASH, _FEATURING)]


def _fold_accents(text: str) -> str:
    text = text.lower()
    if text.isascii():
        return text
    letters = unicodedata.normalize("NFKD", text.translate(PLAIN_LETTERS))
    return "".join(c for c in letters if unicodedata.category(c) != "Mn")


def _normalise(text: str) -> str:
    text = _INNER.sub(r"\1i\2", text.replace("'", "").replace(".", ""))
    return " ".join(_SEPARATORS.split(text.replace("$", "s").replace("&", " and "))).strip()
