"""Spotify's JSON, looked at before it is believed, and turned into rows of `SCHEMA`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from disco.catalogue import SCHEMA, Catalogue
from disco.catalogue.deduplicate import deduplicate
from disco.sources.services.spotify.errors import Malformed
from disco.sources.services.spotify_values import Row, measured, number, text, whole

# Spotify ids are 22 characters of base 62.
ID = re.compile(r"[0-9A-Za-z]{22}")


@dataclass(frozen=True)
class Entry:
    """One place of a list: a track, a file of the user's own, something spoken, or something that is gone.

    Attributes
    ----------
    kind : str
    row : dict
        Of a track or a file what is known of it, by the names of `SCHEMA`; a file's id is its `spotify:local:` URI.
    """

    kind: Literal["track", "local", "spoken", "gone"]
    row: Row | None = None


@dataclass(frozen=True)
class Page:
    """A page of a list: its entries, and how many the whole list has."""

    entries: list[Entry]
    total: int


@dataclass(frozen=True)
class Summary:
    """A playlist without its tracks; `mine` where its contents may be read."""

    id: str
    name: str
    mine: bool
    snapshot: str
    total: int
    description: str


def track(content: object) -> Row | None:
    """A track as a row; None where it has no id of Spotify's."""
    if not isinstance(content, dict) or not isinstance(content.get("id"), str) or not ID.fullmatch(content["id"]):
        return None
    return _row(content) | {"track_id": content["id"]}


def _row(content: dict[str, Any]) -> Row:
    people = content.get("artists") if isinstance(content.get("artists"), list) else []
    names = [name for one in people or [] if isinstance(one, dict) and (name := text(one.get("name")))]
    album = content.get("album") if isinstance(content.get("album"), dict) else {}
    outside = content.get("external_ids") if isinstance(content.get("external_ids"), dict) else {}
    explicit = content.get("explicit")
    return {
        "title": text(content.get("name")),
        "artists": names or None,
        "album": text((album or {}).get("name")),
        "duration_ms": whole(content.get("duration_ms")) or None,
        "popularity": number(content.get("popularity")),
        "explicit": explicit if isinstance(explicit, bool) else None,
        "isrc": text((outside or {}).get("isrc")),
    }


def entry(content: object) -> Entry:
    """An entry of a playlist, of the saved or of the top tracks; Malformed if it can be none of these.

    Playlists call their content `item` since February 2026, older apps and saved tracks `track`; top tracks are
    their content.
    """
    if not isinstance(content, dict):
        raise Malformed("an entry of a list is damaged; try again")
    if "item" in content or "track" in content:
        content = content.get("item") or (content.get("track") if isinstance(content.get("track"), dict) else None)
        if content is None:
            return Entry("gone")
    if not isinstance(content, dict):
        raise Malformed("an entry of a list is damaged; try again")
    if content.get("type") in ("episode", "chapter"):
        return Entry("spoken")
    uri = text(content.get("uri"))
    if content.get("is_local") is True and uri and uri.startswith("spotify:local:"):
        return Entry("local", _row(content) | {"track_id": uri})
    row = track(content)
    if row is None and content.get("id") is None:
        return Entry("gone")  # removed, or not to be had in this country
    if row is None:
        raise Malformed("a track in a list is damaged; try again")
    return Entry("track", row)


def page(content: object) -> Page:
    """A page of tracks."""
    listed, total = _list(content)
    return Page([entry(one) for one in listed], total)


def summaries(content: object, account: str) -> tuple[list[Summary], int]:
    """A page of the user's playlists, and how many there are; entries that are gone are left out."""
    listed, total = _list(content)
    return [summary(one, account) for one in listed if one is not None], total


def summary(content: object, account: str) -> Summary:
    """A playlist without its tracks."""
    if not isinstance(content, dict) or not isinstance(content.get("id"), str) or not ID.fullmatch(content["id"]):
        raise Malformed("a playlist in the list is damaged; try again")
    owner, held = content.get("owner"), content.get("items") or content.get("tracks")
    total = whole(held.get("total")) if isinstance(held, dict) else None
    mine = content.get("collaborative") is True or (isinstance(owner, dict) and owner.get("id") == account)
    if mine and total is None:
        raise Malformed("a playlist in the list is damaged; try again")
    return Summary(
        content["id"],
        text(content.get("name")) or "",
        mine,
        text(content.get("snapshot_id")) or "",
        total or 0,
        text(content.get("description")) or "",
    )


def searched(content: object) -> list[Row]:
    """Tracks of a search, best first."""
    listed, _ = _list(content.get("tracks") if isinstance(content, dict) else None)
    return _good(listed)


def recommended(content: object) -> list[Row]:
    """Tracks of recommendations, best first."""
    return _good(content.get("tracks") if isinstance(content, dict) else None)


def _good(listed: object) -> list[Row]:
    if not isinstance(listed, list):
        raise Malformed("the answer is no list of tracks; try again")
    rows = [row for one in listed if (row := track(one)) is not None]
    if listed and not rows:
        raise Malformed("the tracks in the answer are damaged; try again")
    return rows


def features(content: object) -> list[Row]:
    """Audio features as rows with nothing else than an id; tracks that were never analysed are left out."""
    listed = content.get("audio_features") if isinstance(content, dict) else content
    if not isinstance(listed, list):
        raise Malformed("the answer holds no audio features; try again")
    known = [one for one in listed if isinstance(one, dict)]
    if any(not isinstance(one.get("id"), str) for one in known):
        raise Malformed("the audio features are damaged; try again")
    return [{"track_id": one["id"], **measured(one)} for one in known]


def catalogue(rows: list[Row], where: str, notes: tuple[str, ...] = ()) -> Catalogue:
    """Rows as a catalogue, of the same id the first."""
    table = pa.Table.from_pylist([{name: row.get(name) for name in SCHEMA.names} for row in rows], SCHEMA)
    return Catalogue(deduplicate(table), where, notes)


def _list(content: object) -> tuple[list[Any], int]:
    listed, total = (content.get(name) for name in ("items", "total")) if isinstance(content, dict) else (None, None)
    size = whole(total)
    if not isinstance(listed, list) or size is None:
        raise Malformed("a page of a list is damaged; try again")
    return listed, size


def joined(catalogues: list[Catalogue]) -> Catalogue:
    """Tracks of several catalogues, of the same id the first, without a word about it."""
    table = deduplicate(pa.concat_tables([each.table for each in catalogues]))
    return Catalogue(table, catalogues[0].where, catalogues[0].notes)
