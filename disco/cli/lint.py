"""Door: explain the order of a playlist that someone has. `disco lint --help`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from disco import export
from disco.catalogue import lookup
from disco.cli import console, options
from disco.cli.options import add_list, open_list
from disco.playlist.cost import Knobs
from disco.playlist.matching import match_tracklist
from disco.playlist.sequence import Budget
from disco.playlist.suggestions import Explanation, Suggestion, explain
from disco.playlist.transition_grades import Grades, grade_name

# A longer name is cut: what is wrong must stay in sight.
_LONGEST = 60


def parser() -> argparse.ArgumentParser:
    """The options of this door."""
    p = argparse.ArgumentParser(
        prog="disco lint",
        description="Grade every join of a playlist that you have, and say what would better the worst of them.",
        epilog="example: disco lint mine.m3u8 --catalogue tracks.parquet --key-rule camelot",
    )
    add_list(p)

    g = p.add_argument_group("how joins are judged")
    options.add_judging(g)

    g = p.add_argument_group("how long to look for the best order")
    options.add_iterations(g, "200")
    g.add_argument("--seconds", type=float, metavar="S", help="or: stop after so long, with the best so far")

    g = p.add_argument_group("what comes out")
    g.add_argument("--title", default="", metavar="TEXT", help="name of the playlist")
    g.add_argument("--plot", type=Path, metavar="FILE.html", help="draw it as it is, on a page that needs no network")
    g.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    g.add_argument("--quiet", action="store_true", help="print no notes")
    g.add_argument("--force", action="store_true", help="overwrite files that exist")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Grade the joins of a playlist, name the worst, and say what its best order would gain."""
    arguments = parser().parse_args(argv)
    console.set_verbosity(arguments.quiet)
    if arguments.plot:
        export.check_output(arguments.plot, arguments.force, (".html",))
    asked = arguments.iterations is not None or arguments.seconds is not None
    budget = Budget(arguments.iterations, arguments.seconds) if asked else None
    judged = options.mixing(arguments)
    listed, catalogue = open_list(arguments)
    playlist = match_tracklist(listed, catalogue)
    explained = explain(
        replace(playlist, name=arguments.title) if arguments.title else playlist,
        catalogue,
        knobs=Knobs(flow=arguments.flow, sweetness=arguments.sweetness, smoothness=arguments.smoothness),
        predictor=arguments.predictor,
        mixing=judged,
        artist_gap=arguments.artist_gap,
        budget=budget,
    )
    console.say_notes([explained.playlist], 1, arguments.quiet)
    if arguments.json:
        print(json.dumps(_as_dict(explained), ensure_ascii=False, indent=2))
    else:
        console.show(explained.playlist, explained.grades)
        print("\n".join([*_whole(explained), "", *_worst(explained)]) + "\n")
    if arguments.plot:
        from disco.export import plot  # plotly takes longer to load than the joins to grade

        export.write_text(plot.page(explained.playlist), arguments.plot, arguments.force)
        if not arguments.quiet:
            console.say(f"written: {arguments.plot}")
    return 0


def _whole(explained: Explanation) -> list[str]:
    """What there is of good and bad, as it is and in the best order, as lines of a small table."""
    orders = [(explained.grades, explained.reordered and explained.reordered.before)]
    if explained.reordered and explained.reordered_grades:
        orders.append((explained.reordered_grades, explained.reordered.after))
    rows: dict[str, list[str]] = {"": ["as it is", "disco order"][: len(orders)]}
    for grade in ("good", "fair", "clash"):
        rows[f"joins: {grade}"] = [str(grades.counts()[grade]) for grades, _ in orders]
    figures = [figure for _, figure in orders if figure]
    rows["mean cost"] = [f"{held.mean_cost:.2f}" for held in figures]
    rows["keys that go together"] = [f"{held.compatible} of {held.keys}" for held in figures]
    rows["change of tempo"] = [
        "?" if np.isnan(held.tempo_change) else f"{held.tempo_change:.1f} %" for held in figures
    ]
    return [
        f"{what:<24}{''.join(f'{value:>16}' for value in values)}".rstrip() for what, values in rows.items() if values
    ]


def _worst(explained: Explanation) -> list[str]:
    """The worst joins, what is wrong with them, and what would be better, as lines."""
    playlist, lines = explained.playlist, []
    if not explained.worst:
        return ["No join that is known is less than good." if len(playlist) > 1 else "One track alone has no joins."]
    names = [_name(track) for track in playlist.tracks.table.to_pylist()]
    for issue in explained.worst:
        i = issue.position
        grade, cost = grade_name(int(explained.grades.whole[i])), playlist.terms["cost"][i]
        lines += [f"{i + 1} → {i + 2}  {grade}, costs {cost:.2f}: {names[i]} → {names[i + 1]}"]
        lines += [f"    {what}" for what in issue.problems]
        lines += [f"    better: {_in_words(suggestion, names, explained)}" for suggestion in issue.suggestions]
        lines += [] if issue.suggestions else ["    no single change betters it"]
    return ["The worst joins", "", *lines]


def _in_words(suggestion: Suggestion, names: Sequence[str], explained: Explanation) -> str:
    who, to = _name(suggestion.track), suggestion.after
    after = f"after {to + 1} ({names[to]})" if to >= 0 else "to the beginning"
    costs = f"the list costs {abs(suggestion.saves):.2f} {'less' if suggestion.saves >= 0 else 'more'}"
    if suggestion.kind == "bridge":
        change = "less" if suggestion.saves >= 0 else "more"
        costs = f"the dearer of its two joins costs {abs(suggestion.saves):.2f} {change} than this one"
    if suggestion.large_tempo_jumps > 0:
        costs += f", and {suggestion.large_tempo_jumps} fewer joins leap in tempo"
    said = {
        "bring": f"{suggestion.position + 1} ({who}) between them",
        "move": f"{suggestion.position + 1} ({who}) moved {after}",
        "replace": f"{who} in place of {suggestion.position + 1}",
        "bridge": f"{who} added between them",
    }
    return f"{said[suggestion.kind]}: {costs}"


def _name(track: dict[str, Any]) -> str:
    name = lookup.track_name(track)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1].rstrip()}…"


def _as_dict(explained: Explanation) -> dict[str, Any]:
    """The playlist as one JSON object with the grades of its joins, the worst, and what an order would gain."""
    said = explained.playlist.as_dict()
    grades = explained.grades
    for i, track in enumerate(said["tracks"][1:]):
        parts = {name: int(getattr(grades, name)[i]) for name in ("key", "tempo", "sound", "whole")}
        change = float(explained.playlist.terms["tempo_change"][i])
        track["join"]["tempo_change"] = None if np.isnan(change) else round(change, 2)
        track["join"]["grades"] = {name: None if part < 0 else grade_name(part) for name, part in parts.items()}
    said["worst"] = [
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
    said["as_it_is"] = _figures(grades, ordered.before.mean_cost if ordered else None)
    said["in_order"] = None
    if ordered and explained.reordered_grades:
        said["in_order"] = _figures(explained.reordered_grades, ordered.after.mean_cost)
        said["in_order"]["ids"] = ordered.tracks.table["track_id"].to_pylist()
    return said


def _figures(grades: Grades, mean_cost: float | None) -> dict[str, Any]:
    return {**grades.counts(), "mean_cost": None if mean_cost is None else round(mean_cost, 4)}
