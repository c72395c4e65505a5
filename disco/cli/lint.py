"""`disco lint`: grade the transitions of a playlist that exists, and suggest changes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from disco import export
from disco.catalogue import lookup
from disco.cli import console, options, output
from disco.playlist.from_file import lint
from disco.playlist.playlist import Playlist
from disco.playlist.suggestions import Explanation, Suggestion
from disco.playlist.transition_grades import Grades, grade_name

# A longer name is cut: what is wrong must stay in sight.
_LONGEST = 60


def parser() -> argparse.ArgumentParser:
    """The options of this command."""
    p = argparse.ArgumentParser(
        prog="disco lint",
        usage="disco lint FILE [options]",
        description="Grade every transition of a playlist that you have, and suggest changes for the worst.",
        epilog="example: disco lint mine.m3u8 --catalogue tracks.parquet --key-rule camelot",
    )
    options.add_playlist(p)
    g = p.add_argument_group("what most people need")
    options.add_catalogue(g)
    options.add_plot(g)
    options.add_json(g)
    options.add_judging(p.add_argument_group("how transitions are judged"), lint)
    options.add(p.add_argument_group("how long to search for the best order"), lint, "iterations", "seconds")
    options.add_enrichment(p.add_argument_group("where tracks come from"))

    g = p.add_argument_group("output")
    options.add(g, lint, "title")
    g.add_argument("--force", action="store_true", help="overwrite files that exist")
    options.add_verbosity(g)
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Grade the transitions of a playlist, name the worst, and show what its best order would gain."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet, arguments.verbose)
    options.check_values(arguments)
    output.check_files(arguments)
    tracklist, catalogue = options.read_playlist(arguments)
    explained = lint(catalogue, tracklist, **options.values(arguments, lint))
    output.log_notes([explained.playlist])
    output.write_files(arguments, [explained.playlist])
    if arguments.json:
        print(json.dumps(_as_dict(explained), ensure_ascii=False, indent=2))
    else:
        export.show(explained.playlist, explained.grades)
        print("\n".join([*_whole(explained), "", *_worst(explained)]) + "\n")
    return 0


def _whole(explained: Explanation) -> list[str]:
    """Grades and costs, as it is and in the best order, as lines of a small table."""
    orders = [(explained.grades, explained.reordered and explained.reordered.before)]
    if explained.reordered and explained.reordered_grades:
        orders.append((explained.reordered_grades, explained.reordered.after))
    rows: dict[str, list[str]] = {"": ["as it is", "disco order"][: len(orders)]}
    for grade in ("good", "fair", "clash"):
        rows[f"transitions: {grade}"] = [str(grades.counts()[grade]) for grades, _ in orders]
    measured = [metrics for _, metrics in orders if metrics]
    rows["mean cost"] = [f"{found.mean_cost:.2f}" for found in measured]
    rows["keys that go together"] = [f"{found.compatible} of {found.keys}" for found in measured]
    rows["change of tempo"] = [
        "?" if np.isnan(found.tempo_change) else f"{found.tempo_change:.1f} %" for found in measured
    ]
    return [
        f"{what:<24}{''.join(f'{value:>16}' for value in values)}".rstrip() for what, values in rows.items() if values
    ]


def _worst(explained: Explanation) -> list[str]:
    """The worst transitions, their problems and suggestions, as lines."""
    playlist, lines = explained.playlist, []
    if not explained.worst:
        return ["Every known transition is good." if len(playlist) > 1 else "A single track has no transitions."]
    names = _Names(playlist)
    for issue in explained.worst:
        i = issue.position
        grade, cost = grade_name(int(explained.grades.whole[i])), playlist.terms["cost"][i]
        lines += [f"{i + 1} → {i + 2}  {grade}, costs {cost:.2f}: {names[i]} → {names[i + 1]}"]
        lines += [f"    {what}" for what in issue.problems]
        lines += [f"    better: {_in_words(suggestion, names, explained)}" for suggestion in issue.suggestions]
        lines += [] if issue.suggestions else ["    no single change improves it"]
    return ["The worst transitions", "", *lines]


class _Names:
    """Names of the tracks of a playlist by their positions."""

    def __init__(self, playlist: Playlist) -> None:
        self._tracks = playlist.tracks

    def __getitem__(self, position: int) -> str:
        return _name(self._tracks.tracks(np.array([position]))[0])


def _in_words(suggestion: Suggestion, names: _Names, explained: Explanation) -> str:
    who, to = _name(suggestion.track), suggestion.after
    after = f"after {to + 1} ({names[to]})" if to >= 0 else "to the beginning"
    costs = f"the list costs {abs(suggestion.saves):.2f} {'less' if suggestion.saves >= 0 else 'more'}"
    if suggestion.kind == "bridge":
        change = "less" if suggestion.saves >= 0 else "more"
        costs = f"the more costly of its two transitions costs {abs(suggestion.saves):.2f} {change} than this one"
    if suggestion.large_tempo_jumps > 0:
        costs += f", and {suggestion.large_tempo_jumps} fewer transitions change the tempo too much"
    changes = {
        "bring": f"{suggestion.position + 1} ({who}) between them",
        "move": f"{suggestion.position + 1} ({who}) moved {after}",
        "replace": f"{who} instead of {suggestion.position + 1}",
        "bridge": f"{who} added between them",
    }
    return f"{changes[suggestion.kind]}: {costs}"


def _name(track: dict[str, Any]) -> str:
    name = lookup.track_name(track)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1].rstrip()}…"


def _as_dict(explained: Explanation) -> dict[str, Any]:
    """The playlist as one JSON object with grades, the worst transitions, and what its best order would gain."""
    record = explained.playlist.to_dict()
    grades = explained.grades
    for i, track in enumerate(record["tracks"][1:]):
        parts = {name: int(getattr(grades, name)[i]) for name in ("key", "tempo", "sound", "whole")}
        change = float(explained.playlist.terms["tempo_change"][i])
        track["join"]["tempo_change"] = None if np.isnan(change) else round(change, 2)
        track["join"]["grades"] = {name: None if part < 0 else grade_name(part) for name, part in parts.items()}
    record["worst"] = [
        {
            "from": issue.position + 1,
            "to": issue.position + 2,
            "wrong": issue.problems,
            "better": [
                {
                    "kind": suggestion.kind,
                    "id": suggestion.track["track_id"],
                    "title": suggestion.track["title"],
                    "place": suggestion.position + 1,
                    "after": suggestion.after + 1,
                    "saves": round(suggestion.saves, 4),
                }
                for suggestion in issue.suggestions
            ],
        }
        for issue in explained.worst
    ]
    ordered = explained.reordered
    record["as_it_is"] = _figures(grades, ordered.before.mean_cost if ordered else None)
    record["in_order"] = None
    if ordered and explained.reordered_grades:
        record["in_order"] = _figures(explained.reordered_grades, ordered.after.mean_cost)
        record["in_order"]["ids"] = ordered.tracks.column("track_id").to_pylist()
    return record


def _figures(grades: Grades, mean_cost: float | None) -> dict[str, Any]:
    return {**grades.counts(), "mean_cost": None if mean_cost is None else round(mean_cost, 4)}
