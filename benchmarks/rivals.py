"""Order the same club tracks by other programs' methods and by `disco order`, judged by a scorer apart.

    BROWSER_PATH=/usr/bin/chromium python benchmarks/rivals.py --tracks DATASET.parquet \
        --output docs/research/rivals.md --picture docs/images/rivals.png

Writes the tables and draws the trade-off of keys, tempos and steps. The other programs are those of
`disco.evaluation.baselines`, written anew from their code, and djkr8 itself where it is installed
(`pip install .[rivals]`). Our row is `disco.reorder` without any option. Sets of 200 tracks (`--large N`) are ordered
by the programs that take less than minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from joins import COLUMNS, Sounds, shares
from plotly.subplots import make_subplots

import disco
from disco.catalogue import FEATURES, Catalogue
from disco.catalogue.music import camelot
from disco.evaluation.baseline_costs import baseline_tracks
from disco.evaluation.baselines import BASELINES
from disco.evaluation.data import rows_with_genres, sample_lists
from disco.evaluation.flow_benchmark import our_order
from disco.models.predictors import load_predictor
from disco.playlist.matching import KNOBS

GENRES = ("house", "techno", "trance", "drum-and-bass")
OURS, BEFORE = "`disco order`", "`disco order` as it was: `--graded`, fifths, 4 and 4"
DJKR8 = "djkr8"
# How often the knobs of keys and tempos are taken for the curve of trade-offs.
FACTORS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0)
# Those that take minutes for sets of 200 tracks; and what is left out: the genetic algorithm a second time.
SLOW, LEFT_OUT = ("playlist-sorter", "setlist"), ("by tempo", "by energy", "playlist-sorter README")
# From the tracks of a set, and its number, to their order; and a set: its tracks and their rows in the catalogue.
Method = Callable[[Catalogue, int], np.ndarray]
Set = tuple[Catalogue, np.ndarray]


def main() -> None:
    """Measure everything, write the page, draw the picture."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tracks", type=Path, required=True, metavar="FILE", help="the 114k set of tracks")
    p.add_argument("--output", type=Path, metavar="FILE.md")
    p.add_argument("--picture", type=Path, metavar="FILE.png")
    p.add_argument("--samples", type=int, default=20, metavar="N", help="sets of tracks (20)")
    p.add_argument("--length", type=int, default=30, metavar="N", help="tracks in each (30)")
    p.add_argument("--large", type=int, default=5, metavar="N", help="sets of 200 tracks (5)")
    p.add_argument("--random-seed", type=int, default=2026, metavar="N")
    arguments = p.parse_args()
    catalogue = disco.open(arguments.tracks)
    pool, sounds = rows_with_genres(catalogue, GENRES), sounds_of(catalogue)
    small, large = (
        [(catalogue.take(rows), rows) for rows in sample_lists(pool, n, length, arguments.random_seed)] if n else []
        for n, length in ((arguments.samples, arguments.length), (arguments.large, 200))
    )
    lines = [
        "# Other programs",
        "",
        f"Written by `python benchmarks/rivals.py` on {date.today()}: {arguments.samples} sets of {arguments.length}"
        f" of {len(pool):,} tracks of house, techno, trance and drum-and-bass (114k set), seed"
        f" {arguments.random_seed}. Scored by `benchmarks/joins.py`. Shares of"
        " transitions in per cent; both: keys go together by Camelot and the tempo is within 6 %, folded; worst: the"
        " largest change of tempo of a set; step:"
        " distance of neighbours in standard deviations of the eight features, which only DISCO reads.",
        "",
        "| order | " + " | ".join(COLUMNS.values()) + " | CPU s |",
        "|---" * (len(COLUMNS) + 2) + "|",
    ]
    print("\n".join(lines), flush=True)
    measured: dict[str, dict[str, float]] = {}
    every = methods()
    for name, method in every.items():
        measured[name], line = measure(name, method, sounds, small)
        lines.append(line)
    lines += ["", *own_costs(every, small)]
    curve = [measure(f"knobs x {f:g}", ordered(factor=f, iterations=300), sounds, small) for f in FACTORS]
    lines += ["", "Our trade-off, with both knobs of keys and tempos times a factor:", ""]
    lines += ["| order | " + " | ".join(COLUMNS.values()) + " | CPU s |", "|---" * (len(COLUMNS) + 2) + "|"]
    lines += [line for _, line in curve]
    lines += ["", "![Keys against tempos, and steps against both](../images/rivals.png)"]
    if large:
        lines += ["", f"{len(large)} sets of 200 tracks:", ""]
        lines += ["| order | " + " | ".join(COLUMNS.values()) + " | CPU s |", "|---" * (len(COLUMNS) + 2) + "|"]
        quick = {name: method for name, method in every.items() if name not in (*SLOW, DJKR8)}
        lines += [measure(name, method, sounds, large)[1] for name, method in quick.items()]
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if arguments.picture:
        figure(measured, [found for found, _ in curve]).write_image(
            arguments.picture, width=980, height=460, scale=1.5
        )


def sounds_of(catalogue: Catalogue) -> Sounds:
    """What the scorer reads, features in standard deviations of all tracks."""
    features = np.stack([catalogue.numbers(name).astype(float) for name in FEATURES], axis=1)
    scaled = (features - np.nanmean(features, axis=0)) / np.nanstd(features, axis=0)
    key, mode = (np.nan_to_num(values, nan=-1.0) for values in (catalogue.numbers("key"), catalogue.modes))
    return Sounds(key, mode, catalogue.tempos.astype(float), scaled)


def methods() -> dict[str, Method]:
    """Every way to order tracks, by its name in the table."""
    found: dict[str, Method] = {OURS: ordered(), BEFORE: ordered(key_rule="fifths", graded=True, knobs=(4.0, 4.0))}
    found |= {name: _baseline(name) for name in BASELINES if name not in LEFT_OUT}
    if find_spec(DJKR8):
        found[DJKR8] = djkr8
    return found


def ordered(factor: float = 1.0, knobs: Sequence[float] = (KNOBS.sweetness, KNOBS.smoothness), **judging) -> Method:
    """`disco.reorder`, which puts the tracks of a catalogue into their best order."""

    def order(few: Catalogue, number: int) -> np.ndarray:
        weights = {"sweetness": factor * knobs[0], "smoothness": factor * knobs[1]}
        made = disco.reorder(few, few.ids(np.arange(len(few))), **(weights | judging))
        return few.rows(made.tracks.ids(np.arange(len(made.tracks))))

    return order


def _baseline(name: str) -> Method:
    found: dict[int, np.ndarray] = {}

    def order(few: Catalogue, number: int) -> np.ndarray:
        if id(few) not in found:  # a set is one object throughout
            found[id(few)] = searched(few, number)
        return found[id(few)]

    def searched(few: Catalogue, number: int) -> np.ndarray:
        baseline, tracks = BASELINES[name], baseline_tracks(few, load_predictor("mean").embed(few))
        costs = baseline.cost(tracks) if baseline.cost else np.zeros((len(few), len(few)))
        return baseline.search(tracks, costs, np.random.default_rng(number))

    return order


def djkr8(few: Catalogue, number: int) -> np.ndarray:
    """The program itself with its defaults: it leaves out what does not fit. It has five levels of energy."""
    from djkr8 import PlaylistOptimizer, Track

    energy = np.clip(np.ceil(5 * few.numbers("energy").astype(float)), 1, 5).astype(int)
    keys = [camelot(int(key), int(mode)) for key, mode in zip(few.numbers("key"), few.modes, strict=True)]
    given = [
        Track(id=str(row), key=key, bpm=float(few.tempos[row]), energy=int(energy[row]))
        for row, key in enumerate(keys)
    ]
    return np.array([int(track.id) for track in PlaylistOptimizer().optimize(given).playlist], dtype=int)


def measure(name: str, method: Method, sounds: Sounds, lists: Sequence[Set]) -> tuple[dict[str, float], str]:
    """Mean values of one method over all sets, and its row of the table."""
    found, kept, start = [], [], time.process_time()
    for number, (few, rows) in enumerate(lists):
        order = method(few, number)
        kept.append(len(order) / len(rows))
        if len(order) > 1:
            found.append(shares(sounds.take(rows[order])))
    seconds = (time.process_time() - start) / len(lists)
    means = {column: float(np.mean([values[column] for values in found])) for column in COLUMNS}
    cells = [f"{means[column]:.2f}" if column in ("tempo", "step") else f"{means[column]:.1f}" for column in COLUMNS]
    left_out = "" if min(kept) == 1 else f" (keeps {100 * np.mean(kept):.0f} % of the tracks)"
    line = "| " + " | ".join([name + left_out, *cells, f"{seconds:.2f}"]) + " |"
    print(line, flush=True)
    return means, line


def own_costs(methods: dict[str, Method], lists: Sequence[Set]) -> list[str]:
    """A table of what our search costs under each program's own cost, against its own search."""
    lines = [
        "Each program's own cost of the order that its search finds, and of the one that ours finds from scratch, in"
        f" {len(lists)} sets; reklawdbox's is that of whole orders, with drift, runs and place:",
        "",
        "| cost of | its search | our search | sets in which ours costs no more |",
        "|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for name, baseline in BASELINES.items():
        if baseline.cost is None or name in (*LEFT_OUT, "nearest neighbour"):
            continue
        pairs = []
        for number, (few, _) in enumerate(lists):
            tracks = baseline_tracks(few, load_predictor("mean").embed(few))
            costs, rng = baseline.cost(tracks), np.random.default_rng(number)
            orders = methods[name](few, number), our_order(baseline, tracks, costs, rng)
            pairs.append([baseline.total(tracks, costs, order) for order in orders])
        theirs, ours = np.array(pairs).T
        no_more = int((ours <= theirs + 1e-6).sum())
        lines.append(f"| {name} | {theirs.mean():.3f} | {ours.mean():.3f} | {no_more} of {len(lists)} |")
        print(lines[-1], flush=True)
    return lines


def _positions(heights: Sequence[float], column: int) -> list[str]:
    """Where the labels of points stand, by turns from the highest point on."""
    turns = (("top center", "bottom center"), ("top left", "middle left", "bottom left"))[column - 1]
    rank = np.argsort(np.argsort(-np.array(heights), kind="stable"), kind="stable")
    return [turns[i % len(turns)] for i in rank]


def figure(measured: dict[str, dict[str, float]], curve: Sequence[dict[str, float]]) -> go.Figure:
    """Keys against tempos, and both against steps: our curve, and each program as a point."""
    drawn = make_subplots(cols=2, horizontal_spacing=0.1)
    panels = (("camelot", "within"), ("step", "both"))
    titles = {
        "camelot": "keys that go together by Camelot, %",
        "within": "tempo within 6 %, %",
        "step": "mean step, standard deviations",
        "both": "both at once, %",
    }
    others = [name for name in measured if name not in (OURS, BEFORE, "random")]
    for column, (x, y) in enumerate(panels, 1):
        drawn.add_scatter(
            x=[point[x] for point in curve],
            y=[point[y] for point in curve],
            mode="lines+markers",
            marker={"size": 5, "color": "#7aa6c2"},
            showlegend=False,
            row=1,
            col=column,
        )
        for names, color, symbol, size in (
            (others, "#444444", "circle", 8),
            ([BEFORE], "#7aa6c2", "diamond", 11),
            ([OURS], "#c2410c", "star", 15),
        ):
            labels = {BEFORE: "disco order, before", OURS: "disco order"}
            drawn.add_scatter(
                x=[measured[name][x] for name in names],
                y=[measured[name][y] for name in names],
                text=[labels.get(name, name) for name in names],
                mode="markers+text",
                # In turn, so that neighbours can be read.
                textposition=_positions([measured[name][y] for name in names], column)
                if names is others
                else "bottom center",
                cliponaxis=False,
                textfont={"size": 10, "color": color},
                marker={"size": size, "color": color, "symbol": symbol},
                showlegend=False,
                row=1,
                col=column,
            )
        drawn.update_xaxes(title_text=titles[x], row=1, col=column)
        drawn.update_yaxes(title_text=titles[y], row=1, col=column)
    drawn.update_layout(template="plotly_white", margin={"l": 60, "r": 20, "t": 20, "b": 55})
    return drawn


if __name__ == "__main__":
    main()
