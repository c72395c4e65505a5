"""What the tags of one audio file say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disco.catalogue.key_names import parse_key
from disco.errors import DataError

_NUMBER = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(?:bpm)?\s*", re.IGNORECASE)
# Tempos outside these are nobody's music, as in tables.
_SLOWEST, _FASTEST = 10.0, 1000.0
# ID3v1 numbers its genres; some write the number, `(17)` or `17`, where the name belongs.
_GENRE_NUMBER = re.compile(r"\(?\d{1,3}\)?")


@dataclass(frozen=True)
class Tags:
    """Tags of a file; None or empty is unknown. `odd_key` is a key's text that means nothing."""

    title: str | None
    artists: list[str]
    album: str | None
    genres: list[str]
    duration_ms: int | None
    tempo_bpm: float | None
    key: tuple[int, int] | None
    isrc: str | None
    odd_key: str = ""


def read_tags(path: Path) -> Tags:
    """Read the tags of a file.

    Raises
    ------
    DataError
        If it is empty, cannot be read, or is no audio file of a known kind.
    """
    from tinytag import TinyTag, TinyTagException, UnsupportedFormatError

    try:
        empty = not path.stat().st_size
        tag = None if empty else TinyTag.get(path)
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})") from None
    except UnsupportedFormatError:
        raise DataError(path, "no audio file of a known kind") from None
    except TinyTagException:
        raise DataError(path, "broken or cut off") from None
    except Exception:  # a damaged file leads the parser anywhere
        raise DataError(path, "broken or cut off") from None
    if tag is None:
        raise DataError(path, "empty")
    if not tag.duration:
        raise DataError(path, "without sound")
    other: dict[str, Any] = tag.other
    keys = _texts(other.get("initial_key")) + _texts(other.get("initialkey"))
    meant = [key for key in map(parse_key, keys) if key]
    return Tags(
        title=_one(tag.title),
        artists=[*_texts(tag.artist), *_texts(other.get("artist"))] or _texts(tag.albumartist),
        album=_one(tag.album),
        genres=[g for g in [*_texts(tag.genre), *_texts(other.get("genre"))] if not _GENRE_NUMBER.fullmatch(g)],
        duration_ms=min(round(tag.duration * 1000), 2**31 - 1) or None,
        tempo_bpm=_tempo(_texts(other.get("bpm"))),
        key=meant[0] if meant else None,
        isrc=_one(next(iter(_texts(other.get("isrc"))), None)),
        odd_key=keys[0] if keys and not meant else "",
    )


def _one(text: str | None) -> str | None:
    texts = _texts(text)
    return texts[0] if texts else None


def _texts(value: Any) -> list[str]:
    """Texts of a tag without blanks and signs that end a text."""
    values = value if isinstance(value, list) else [value]
    parts = [part for v in values if v is not None for part in str(v).split("\0")]
    clean = (part.encode(errors="replace").decode().strip() for part in parts)
    return list(dict.fromkeys(part for part in clean if part))


def _tempo(texts: list[str]) -> float | None:
    for text in texts:
        if number := _NUMBER.fullmatch(text):
            tempo = float(number[1].replace(",", "."))
            if _SLOWEST <= tempo <= _FASTEST:
                return tempo
    return None
