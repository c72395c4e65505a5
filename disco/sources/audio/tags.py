"""What the tags of one audio file say.

Key and tempo stand in many fields: TKEY and TBPM of ID3 and the same in Vorbis and MP4, but also fields of their own
(`TXXX:KEY`, `Initial key`, `fBPM`) and APEv2 at the end of an MP3. They are recognised by the letters of their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from disco.catalogue.key_names import parse_key
from disco.catalogue.text import MOST_NAMES
from disco.errors import DataError
from disco.sources.audio import ape
from disco.sources.audio.walk import UNREAD
from disco.sources.entries import energy

_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(?:bpm)?\s*", re.IGNORECASE)
# Tempos outside these are nobody's music, as in tables.
_SLOWEST, _FASTEST = 10.0, 1000.0
# Some programs write the tempo times a hundred or times ten, 12850 or 1285, since TBPM is a whole number; both are
# read only where they give a tempo between these, which are nearer than ten times apart, so that one at most does.
_SLOWEST_SCALED, _FASTEST_SCALED = 40.0, 300.0
# Letters of the names of fields, the preferred first. `energylevel` is Mixed In Key's, 1-10.
_KEY_FIELDS = ("initialkey", "tkey", "key", "musicalkey", "camelotkey", "camelot", "openkey", "keyname", "tonality")
_TEMPO_FIELDS = ("bpm", "tbpm", "tempo", "beatsperminute", "tmpo")
_EXACT_TEMPO_FIELDS = ("fbpm", "bpmaccurate", "bpmprecise", "exactbpm")
_ENERGY_FIELDS = ("energylevel", "energy")
# Mixed In Key's comment, `8A - Energy 6`, holds the key too.
_KEY_IN_COMMENT = re.compile(r"\s*(\S{2,3})\s*-\s*energy\s*\d{1,2}\s*", re.IGNORECASE)
# ID3v1 numbers its genres; some write the number, `(17)` or `17`, where the name belongs.
_GENRE_NUMBER = re.compile(r"\(?\d{1,3}\)?")
_NO_LETTER = re.compile(r"[^a-z]")
# Lyrics lie in tags too; what DISCO reads is far shorter.
_LONGEST = 10_000


@dataclass(frozen=True)
class Tags:
    """Tags of a file; None or empty is unknown.

    `odd_key` and `odd_tempo` are texts that mean nothing; `scaled_tempo` was read as a hundredth or tenth.
    """

    title: str | None
    artists: list[str]
    album: str | None
    genres: list[str]
    duration_ms: int | None
    tempo_bpm: float | None
    key: tuple[int, int] | None
    isrc: str | None
    odd_key: str = ""
    odd_tempo: str = ""
    scaled_tempo: str = ""
    energy: float | None = None


def read_tags(path: Path) -> Tags:
    """Read the tags of a file.

    Raises
    ------
    DataError
        If it is empty, cannot be read, or is no audio file of a known kind.
    """
    try:
        if not path.stat().st_size:
            raise DataError(path, "empty")
        behind = ape.read_ape(path) if path.suffix.lower() in (".mp3", ".mp2", ".aac", *ape.SUFFIXES) else {}
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    if path.suffix.lower() in ape.SUFFIXES:
        if not behind:
            raise DataError(path, f"without APEv2 tags, which alone are read of its kind ({path.suffix.lower()})")
        return _tags(_Fields(behind), _Fields({}), None)
    from tinytag import TinyTag, TinyTagException, UnsupportedFormatError

    _bound_fields()
    try:
        tag = TinyTag.get(path)
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    except UnsupportedFormatError:
        kind = path.suffix.lower()
        what = f"of a kind whose tags are not read ({kind})" if kind in UNREAD else "no audio file of a known kind"
        raise DataError(path, what) from None
    except TinyTagException:
        wma = ", or of a layout that is not read (.wma)" if path.suffix.lower() == ".wma" else ""
        raise DataError(path, f"broken or cut off{wma}") from None
    except Exception:  # a damaged file leads the parser anywhere
        raise DataError(path, "broken or cut off") from None
    if not tag.duration:
        raise DataError(path, "without sound")
    named = {name: getattr(tag, name) for name in ("title", "artist", "albumartist", "album", "genre", "comment")}
    # In FLAC an ID3 tag before the sound is foreign, and what comes after it is what counts.
    fields = _Fields(tag.other, named) if path.suffix.lower() == ".flac" and _begins_with_id3(path) else None
    length = min(round(tag.duration * 1000), 2**31 - 1) or None
    return _tags(fields or _Fields(named, tag.other), _Fields(behind), length)


def _begins_with_id3(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == b"ID3"


class _Fields:
    """Texts of tags by the letters of their names."""

    def __init__(self, *tags: Mapping[str, Any]) -> None:
        self._texts: dict[str, list[str]] = {}
        for tag in tags:
            for name, value in tag.items():
                self._texts.setdefault(_NO_LETTER.sub("", name.lower()), []).extend(_texts(value))

    def __getitem__(self, names: str | tuple[str, ...]) -> list[str]:
        """Texts of the fields of these names, each text once."""
        wanted = (names,) if isinstance(names, str) else names
        return list(dict.fromkeys(text for name in wanted for text in self._texts.get(name, ())))


def _tags(first: _Fields, second: _Fields, duration_ms: int | None) -> Tags:
    """The tags of a file, from the second where the first says nothing."""

    def texts(names: str | tuple[str, ...]) -> list[str]:
        return first[names] or second[names]

    def both(names: tuple[str, ...]) -> list[str]:
        return first[names] + second[names]

    keys, tempos = both(_KEY_FIELDS), both(_TEMPO_FIELDS)
    in_comments = [match[1] for text in texts("comment") if (match := _KEY_IN_COMMENT.fullmatch(text))]
    meant = [key for key in map(parse_key, [*keys, *in_comments]) if key]
    tempo, scaled = _tempo(tempos)
    exact, _ = _tempo(both(_EXACT_TEMPO_FIELDS))
    # A whole number beside an exact one is the same rounded; where the two disagree, the usual field counts.
    if exact is not None and (tempo is None or abs(tempo - exact) < 1):
        tempo, scaled = exact, ""
    levels = [f"energy {text}" for text in both(_ENERGY_FIELDS)] + texts("comment")
    return Tags(
        title=next(iter(texts("title")), None),
        artists=texts("artist") or texts("albumartist"),
        album=next(iter(texts("album")), None),
        genres=[genre for genre in texts("genre") if not _GENRE_NUMBER.fullmatch(genre)],
        duration_ms=duration_ms,
        tempo_bpm=tempo,
        key=meant[0] if meant else None,
        isrc=next(iter(texts("isrc")), None),
        odd_key=keys[0] if keys and not meant else "",
        odd_tempo=next((text for text in tempos if text.strip("0., ")), "") if tempo is None else "",
        scaled_tempo=scaled,
        energy=next((level for level in map(energy, levels) if level is not None), None),
    )


def _texts(value: Any) -> list[str]:
    """Texts of a tag without blanks and signs that end a text."""
    values = value if isinstance(value, list) else [value]
    parts = [part for v in values if v is not None for part in str(v)[:_LONGEST].split("\0")]
    clean = (part.encode(errors="replace").decode().strip() for part in parts)
    return list(dict.fromkeys(part for part in clean if part))


def _tempo(texts: list[str]) -> tuple[float | None, str]:
    """The first tempo that texts name, and its text where that is a hundred or ten times as much."""
    for text in texts:
        if number := _NUMBER.fullmatch(text):
            tempo = float(number[1].replace(",", "."))
            if _SLOWEST <= tempo <= _FASTEST:
                return tempo, ""
            for factor in (100, 10):
                if _SLOWEST_SCALED <= tempo / factor <= _FASTEST_SCALED:
                    return tempo / factor, text
    return None, ""


@cache
def _bound_fields() -> None:
    """Let tinytag keep only so many values of a field: it compares each with all before it."""
    from tinytag import tinytag

    class Few(list[str]):
        def append(self, value: str) -> None:
            if len(self) < MOST_NAMES:
                super().append(value)

    class FewOfEach(tinytag.OtherFields):
        def __setitem__(self, name: str, values: list[str]) -> None:
            super().__setitem__(name, Few(values[:MOST_NAMES]))

    tinytag.OtherFields = FewOfEach  # type: ignore[misc]
