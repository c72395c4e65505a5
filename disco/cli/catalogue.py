"""`disco catalogue info|set|corrections|fix-tempo`: show what is in a catalogue, and store corrections of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from disco.catalogue import FEATURES, SCHEMA, Catalogue
from disco.catalogue.lookup import track_name
from disco.catalogue.octaves import FEWEST, SuspectTempo, suspect_tempos
from disco.catalogue.text import printable
from disco.cli import console, options
from disco.errors import DiscoError
from disco.sources import cache, corrections


def info(catalogue: Catalogue) -> dict[str, Any]:
    """Facts about a catalogue: how many tracks, what share of them each column covers, ranges, genres."""
    n = len(catalogue)
    columns = [field.name for field in SCHEMA if field.name not in FEATURES and field.name != "feature_set"]
    covered = {name: int(pc.sum(pc.is_valid(catalogue.column(name))).as_py() or 0) for name in columns}
    sets = catalogue.column("feature_set").drop_null().value_counts().to_pylist()
    genres = pc.value_counts(catalogue.column("genres").combine_chunks().flatten()).to_pylist()
    tempos = catalogue.tempos[~np.isnan(catalogue.tempos)]
    return {
        "where": catalogue.where,
        "tracks": n,
        "eight_features": int(catalogue.has_all_features.sum()),
        "covered": covered,
        "feature_sets": {row["values"]: row["counts"] for row in sets},
        "tempo_bpm": [round(float(q), 1) for q in np.quantile(tempos, [0.05, 0.5, 0.95])] if len(tempos) else None,
        "genres": {r["values"]: r["counts"] for r in sorted(genres, key=lambda r: (-r["counts"], r["values"]))[:10]},
        "notes": list(catalogue.notes),
        "cache": {"where": str(cache.user_cache()), "bytes": cache.total_bytes(cache.user_cache())},
    }


def _show(facts: dict[str, Any]) -> None:
    n = facts["tracks"]
    print(f"{printable(facts['where'])}\n{n:,} tracks\n")
    for note in facts["notes"]:
        print(printable(f"  {note}"))
    print("\ncovered")
    for name, count in {"all eight features": facts["eight_features"], **facts["covered"]}.items():
        print(f"  {name:<20}{count:>12,}{count / n:>8.1%}")
    sets = ", ".join(f"{printable(name)} ({count:,})" for name, count in facts["feature_sets"].items())
    print(f"\nfeatures measured by  {sets or 'nobody'}")
    if facts["tempo_bpm"]:
        print("tempo (5, 50, 95 %)   " + ", ".join(f"{tempo:.0f}" for tempo in facts["tempo_bpm"]) + " BPM")
    if facts["genres"]:
        genres = ", ".join(f"{printable(name)} ({count:,})" for name, count in facts["genres"].items())
        print(f"most frequent genres  {genres}")
    stored = facts["cache"]
    print(f"cache of all tables   {printable(stored['where'])} ({stored['bytes'] / 1e6:,.0f} MB)")


def set_values(track: str, values: Sequence[str], catalogue: Catalogue | None) -> corrections.Correction:
    """Store corrections of a track in the user's own file.

    Parameters
    ----------
    track : str
        An id, a path, or `artist - title`; with a catalogue also words that find the track there.
    values : sequence of str
        `key=8A`, `bpm=128` or `energy=0.7`; nothing after the equals sign removes the correction.
    catalogue : Catalogue, optional

    Raises
    ------
    DiscoError
        If a value means nothing, the track is not found, or the file cannot be written.
    """
    parts = [text.partition("=") for text in values]
    if bare := [name for name, sign, _ in parts if not sign]:
        raise DiscoError(f"{bare[0][:40]!r} sets nothing; write key=8A, bpm=128 or energy=0.7")
    if not track.strip():
        raise DiscoError("an empty text names no track; write an id, a path, or artist - title")
    if catalogue is not None:
        track = catalogue.ids(catalogue.find(track))[0]
    elif Path(track).exists():
        # So that it is found from every folder, and as catalogues of folders write bytes that are no UTF-8.
        track = str(Path(track).absolute()).encode(errors="backslashreplace").decode()
    return corrections.change(track.strip(), {name: text for name, _, text in parts})


def _show_corrections(as_json: bool) -> None:
    where = corrections.user_file()
    rows = [corrections.as_row(c) for c in (corrections.read(where) if where.is_file() else [])]
    if as_json:
        print(json.dumps({"where": str(where), "corrections": rows}, ensure_ascii=False, indent=2))
        return
    if rows:
        print(f"{'key':<6}{'bpm':>7}{'energy':>9}  track")
    for row in rows:
        print(f"{row['key']:<6}{row['bpm']:>7}{row['energy']:>9}  {printable(row['track'])}")
    print(f"{len(rows):,} corrections in {printable(str(where))}")


def fix_tempos(catalogue: Catalogue, suspects: Sequence[SuspectTempo]) -> int:
    """Ask about each suspicious tempo, and store a correction where the answer is yes; how many were stored."""
    stored = 0
    for number, suspect in enumerate(suspects, start=1):
        track = catalogue.tracks(np.array([suspect.row]))[0]
        console.say(f"{number}/{len(suspects)}  {track_name(track)}: {suspect.tempo_bpm:.1f} BPM; {suspect.reason}")
        print(f"      {suspect.better_bpm:.1f} instead? y, n or q to stop [n]: ", end="", file=sys.stderr, flush=True)
        answer = console.read_line()
        if not answer or answer.strip().lower() in ("q", "quit"):
            break
        if answer.strip().lower() in ("y", "yes"):
            set_values(track["track_id"], [f"bpm={suspect.better_bpm:.3f}"], None)
            stored += 1
    return stored


def _suspects_as_dict(catalogue: Catalogue, suspects: Sequence[SuspectTempo]) -> dict[str, Any]:
    rows = catalogue.tracks(np.array([suspect.row for suspect in suspects], dtype=np.intp)) if suspects else []
    found = [
        {
            "id": track["track_id"],
            "title": track["title"],
            "artist": ", ".join(track["artists"] or []) or None,
            "tempo_bpm": round(suspect.tempo_bpm, 2),
            "better_bpm": round(suspect.better_bpm, 2),
            "reason": suspect.reason,
        }
        for track, suspect in zip(rows, suspects, strict=True)
    ]
    return {"where": catalogue.where, "tracks": len(catalogue), "suspects": found}


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco catalogue", description="Show what is in a catalogue of tracks, and correct it."
    )
    verbs = p.add_subparsers(dest="verb", required=True, metavar="VERB")
    v = verbs.add_parser("info", help="show the number of tracks, coverage of columns, sources")
    v.add_argument("paths", nargs="*", metavar="PATH", help="your tracks (default: the demo of invented tracks)")
    options.add_enrichment(v)
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v = verbs.add_parser("set", help="set your own key, tempo or energy of a track, over those of all sources")
    v.add_argument("track", metavar="TRACK", help="an id, a path, or 'artist - title'")
    v.add_argument("values", nargs="+", metavar="NAME=VALUE", help="key=8A, bpm=128, energy=0.7; key= removes it")
    v.add_argument(
        "--catalogue",
        action="append",
        default=[],
        metavar="PATH",
        help="tracks in which TRACK is searched, as seeds are",
    )
    options.add_cache(v)
    v = verbs.add_parser("corrections", help="list what you have set")
    v.add_argument("--json", action="store_true", help="print one JSON object")
    v = verbs.add_parser("fix-tempo", help="find tempos that may be half or double of what they should be, and ask")
    v.add_argument("paths", nargs="*", metavar="PATH", help="your tracks (default: the demo of invented tracks)")
    v.add_argument("-n", type=int, default=50, metavar="N", help="most to ask about, the most certain first (50)")
    options.add_enrichment(v)
    v.add_argument("--json", action="store_true", help="print them as one JSON object, and ask nothing")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Show a catalogue, store a correction, or list the corrections."""
    arguments = parser().parse_args(argv)
    if arguments.verb == "corrections":
        _show_corrections(arguments.json)
        return 0
    if arguments.verb == "set":
        paths = arguments.catalogue
        new = set_values(
            arguments.track,
            arguments.values,
            options.open_catalogue(paths, notes=False, cache=arguments.cache) if paths else None,
        )
        stored = ", ".join(
            f"{name} {text}" for name, text in corrections.as_row(new).items() if text and name != "track"
        )
        console.say(f"{new.track}: {stored or 'no corrections'}")
        return 0
    if arguments.verb == "fix-tempo":
        return _fix_tempo(arguments)
    facts = info(
        options.open_catalogue(
            arguments.paths, arguments.enrich_from, arguments.corrections, notes=False, cache=arguments.cache
        )
    )
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        _show(facts)
    return 0


def _fix_tempo(arguments: argparse.Namespace) -> int:
    if arguments.n < 1:
        raise DiscoError(f"the number of tempos to ask about must be 1 or more, not {arguments.n}")
    catalogue = options.open_catalogue(
        arguments.paths, arguments.enrich_from, arguments.corrections, notes=False, cache=arguments.cache
    )
    suspects = suspect_tempos(catalogue)
    if arguments.json:
        print(json.dumps(_suspects_as_dict(catalogue, suspects), ensure_ascii=False, indent=2))
        return 0
    if not suspects:
        console.say(
            f"no tempo of {len(catalogue):,} tracks looks halved or doubled; genres tell, so that tracks of a genre "
            f"with fewer than {FEWEST} others are not judged"
        )
        return 0
    console.say(
        f"{len(suspects):,} of {len(catalogue):,} tempos may be half or double; most such are right, so listen"
    )
    stored = fix_tempos(catalogue, suspects[: arguments.n])
    console.say(f"{stored:,} corrections stored in {corrections.user_file()}")
    return 0
