"""How often a track that is not there is taken for another, and how often one that is there is found.

`python benchmarks/matching.py [TABLE]`: lists of 2,000 made-up entries over the demo, over a table of tracks, and
over catalogues of three of its tracks. Absent entries resemble a track in eight ways, present ones are it in
eight spellings; each is a row with title and artist, a line `artist - title`, one of M3U with a file, or a line
without a dash.
"""

from __future__ import annotations

import random
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
from table import head, row

import disco
from disco.catalogue import Catalogue
from disco.sources.tracklist import Entry, Tracklist

ENTRIES, TINY = 2000, 50
Track = dict[str, Any]
Name = tuple[str, str]
_CYRILLIC = str.maketrans(dict(zip("abcdefghiklmnoprstuvyz", "абцдефгхиклмнопрстувыз", strict=True)))
_MARKS = str.maketrans({"'": "’", "-": "–", '"': "“"})


def typo(title: str, rng: random.Random) -> str:
    """A title with two letters of its longest word swapped, or one left out."""
    word = max(title.split(), key=len)
    i = rng.randrange(1, max(len(word) - 1, 2))
    swapped = word[:i] + word[i : i + 2][::-1] + word[i + 2 :]
    return title.replace(word, swapped if swapped != word else word[:i] + word[i + 1 :], 1)


def absent(track: Track, others: list[Track], rng: random.Random) -> dict[str, Name]:
    """Title and artist of eight tracks that are no recording of this one, nor of any other track."""
    title, artist = track["title"], track["artists"][0]
    other = rng.choice(others)["artists"][0]
    words = title.split()
    return {
        "live": (rng.choice((f"{title} (Live)", f"{title} - Live at Wembley", f"{title} [live]")), artist),
        "remix": (rng.choice((f"{title} (Kolo Remix)", f"{title} - Extended Mix", f"{title} (Radio Edit)")), artist),
        "part": (rng.choice((f"{title}, Pt. 2", f"{title} - Part 3", f"{title} II")), artist),
        "cover": (title, f"The {artist} Tribute Band"),
        "same title by others": (title, other),
        "typo": (typo(title, rng), artist),
        "transliterated": (title.lower().translate(_CYRILLIC), artist),
        "cut": (" ".join(words[: len(words) // 2]) if len(words) > 1 else title[:-1], artist),
    }


def present(track: Track, others: list[Track], rng: random.Random) -> dict[str, Name]:
    """Title and artist of a track in eight spellings."""
    title, artists = track["title"], track["artists"]
    artist = artists[0]
    plain = "".join(c for c in unicodedata.normalize("NFKD", title) if not unicodedata.combining(c))
    return {
        "as it is": (title, artist),
        "capitals": (title.upper(), artist.upper()),
        "without accents": (plain, artist),
        "decomposed, with typographic marks": (unicodedata.normalize("NFD", title).translate(_MARKS), artist),
        "with a guest": (
            title if "feat" in title.lower() else f"{title} (feat. {rng.choice(others)['artists'][0]})",
            artist,
        ),
        "remastered": (title if " - " in title else f"{title} - 2011 Remaster", artist),
        "and for &, spaces": (f" {title.replace('&', 'and')} ".replace(" ", "  "), artist.replace("&", "and")),
        "all artists": (title, ", ".join(artists)),
    }


def entry(name: Name, form: int) -> Entry:
    """An entry of a list in one of four forms."""
    title, artist = name
    if form == 0:
        return Entry(title=title, artist=artist)
    line = f"{title} {artist}" if form == 3 else f"{artist} - {title}"
    if form == 2:
        file = f"/usb/{artist}/{title}.mp3".replace("\0", "")
        return Entry(file, path=file, text=line)
    return Entry(line, text=line)


def folded(text: str) -> str:
    """A text in lower case with its letters and digits alone."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if c.isalnum())


def names(tracks: list[Track]) -> set[Name]:
    """Every title with each of its artists, folded."""
    return {(folded(track["title"]), folded(artist)) for track in tracks for artist in track["artists"]}


def measure(
    catalogue: Catalogue, make: Callable[..., dict[str, Name]], n: int, rng: random.Random
) -> dict[str, list[bool]]:
    """Whether each of n entries was found as its track (present) or as any (absent), by the way it was made."""
    tracks = [t for t in catalogue.tracks(names=("title", "artists")) if t["title"] and t["artists"]]
    there = names(tracks)
    asked: list[tuple[str, Track, Entry]] = []
    for i in range(100 * n):
        track = rng.choice(tracks)
        made = list(make(track, tracks, rng).items())
        way, name = made[i % len(made)]
        if make is absent and (not folded(name[0]) or (folded(name[0]), folded(name[1])) in there):
            continue  # there is such a track after all
        asked.append((way, track, entry(name, (i // len(made)) % 4)))
        if len(asked) == n:
            break
    rows = Tracklist("", [one for *_, one in asked]).match(catalogue)
    found: dict[str, list[bool]] = {}
    for (way, track, _), got in zip(asked, rows.tolist(), strict=True):
        right = got >= 0
        if right and make is present:
            title, artists = (catalogue.column(column)[got].as_py() for column in ("title", "artists"))
            ours, theirs = folded(track["title"]), folded(title)
            right = artists[0] in track["artists"] and (ours.startswith(theirs) or theirs.startswith(ours))
        found.setdefault(way, []).append(right)
    return found


def main() -> None:
    """Print two tables."""
    catalogues = {"demo": [disco.open()]}
    if len(sys.argv) > 1:
        table = disco.open(sys.argv[1])
        some = np.random.default_rng(0).choice(len(table), (TINY, 3), replace=False)
        catalogues |= {"table": [table], "three tracks": [table.take(rows) for rows in some]}
    for make, what in ((absent, "Taken for another track"), (present, "Found")):
        results = {}
        for name, several in catalogues.items():
            rng, results[name] = random.Random(1), {}
            for catalogue in several:
                for way, found in measure(catalogue, make, ENTRIES // len(several), rng).items():
                    results[name].setdefault(way, []).extend(found)
        head(f"{what}, of {ENTRIES:,} entries, %", "way", *catalogues)
        for way in next(iter(results.values())):
            row(way, *(f"{100 * np.mean(found.get(way, [np.nan])):.1f}" for found in results.values()))
        row("all", *(f"{100 * np.mean(np.concatenate(list(found.values()))):.2f}" for found in results.values()))


if __name__ == "__main__":
    main()
