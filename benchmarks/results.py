"""Write docs/research/results.md: every table is measured by `disco evaluate`.

disco prepare playlists.parquet --tracks tracks.parquet --hold-out mpd_slice0 --hold-out ... --test 0 --output data
make recommenders TRACKS=data/tracks.parquet PLAYLISTS=data/playlists.parquet
python benchmarks/results.py --tracks data/tracks.parquet --playlists data/playlists.parquet [--ablation NAME=FOLDER ...]
    [--recommender NAME ...] [--electronic dataset.csv]

With `--only flow` only the tables of orders are measured, with `--only end-to-end` only those of whole playlists (see
`end_to_end.py`), and replace those in the file. Sections that another program wrote (`dj.py`) stay in any case.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from end_to_end import HEADING as END_TO_END
from end_to_end import end_to_end

from disco.cli import evaluate
from disco.evaluation import flow_benchmark
from disco.evaluation.baselines import BASELINES
from disco.models.card import MODELS

ROOT = Path(__file__).parents[1]
SOURCE = "mpd_slice0"
OTHERS = ("tidytuesday", "songs19k", "editorial_2023", "editorial_archive", "user_archive")
CONTINUED = {
    "first-5": "Given the first five tracks, find the rest.",
    "first-1": "Given the first track alone.",
    "first-10": "Given the first ten tracks.",
    "title": "Given the title alone.",
    "challenge": "The mean of the ten categories of the RecSys Challenge 2018, sampled from our playlists; the challenge itself had other playlists and a hundred times as many to train on.",
}
# Name in the tables of `rank` without genres as input.
NO_GENRES = "rank without genres"
# Start of the headings of the tables of orders.
FLOW = "Flow: "
GENRES = "house,techno,trance,drum-and-bass"
SWEEP = (0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0)


class Tables:
    """Runs of the evaluation, and their tables in Markdown."""

    def __init__(self, tracks: Path, playlists: Path, cases: int) -> None:
        self.common = ["--catalogue", str(tracks), "--playlists", str(playlists), "--train", str(playlists), "--json"]
        self.cases = ["--cases", str(cases)]
        self.tracks, self.playlists = tracks, playlists
        self.lines: list[str] = []

    def run(self, *options: object) -> list[dict[str, Any]]:
        """Records of one run of the next-track protocol."""
        return self._records("next-track", "predictors", *self.cases, *options)

    def continued(self, *options: object) -> list[dict[str, Any]]:
        """Records of one run of the continuation protocol."""
        return self._records("continuation", "recommenders", *options)

    def flows(self, *options: object) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Records of one run of the flow protocol, and the protocol."""
        results = self._run("flow", "--json", *options)
        return results["orders"], results["protocol"]

    def end_to_end(self, *options: object) -> list[dict[str, Any]]:
        """Records of one run of the end-to-end protocol."""
        chosen = ["--playlists", self.playlists, "--json", *options]
        records: list[dict[str, Any]] = self._run("end-to-end", *chosen)["configurations"]
        return records

    def _records(self, verb: str, what: str, *options: object) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = self._run(verb, *self.common, *options)[what]
        return records

    def _run(self, *arguments: object) -> dict[str, Any]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            if evaluate.main(list(map(str, arguments))):
                raise SystemExit("the evaluation failed; see above")
        results: dict[str, Any] = json.loads(out.getvalue())
        return results

    def without_genres(self, *options: object) -> list[dict[str, Any]]:
        """Records of `rank` without genres as input."""
        records = self.run("--predictor", "rank", "--hide-genres", *options)
        return [{**r, "predictor": NO_GENRES} for r in records if r["predictor"] == "rank"]

    def table(self, title: str, text: str, heads: Sequence[str], rows: list[list[str]]) -> None:
        """Add a table with its heading and text."""
        self.lines += [f"\n## {title}\n", text, "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        self.lines += ["| " + " | ".join(row) + " |" for row in rows]


def hit(record: dict[str, Any]) -> str:
    """hit@10 with its interval."""
    low, high = record["interval"]["hit@10"]
    return f"{record['hit@10']:.3f} ({low:.3f}-{high:.3f})"


def called(name: str) -> str:
    """Name of a predictor in a table."""
    return "`rank` without genres" if name == NO_GENRES else f"`{name}`"


def by_set(records: list[dict[str, Any]]) -> dict[tuple[str, Any], dict[str, dict[str, Any]]]:
    """Records of each predictor and spicyness, by their set of cases."""
    grouped: dict[tuple[str, Any], dict[str, dict[str, Any]]] = {}
    for record in records:
        grouped.setdefault((record["predictor"], record["spicyness"]), {})[record["cases"]] = record
    return grouped


def best(records: list[dict[str, Any]]) -> list[tuple[str, Any, dict[str, dict[str, Any]]]]:
    """Each predictor at the spicyness with the highest hit@10 of all cases."""
    chosen: dict[str, tuple[str, Any, dict[str, dict[str, Any]]]] = {}
    for (name, spicyness), sets in by_set(records).items():
        if name not in chosen or sets["all"]["hit@10"] > chosen[name][2]["all"]["hit@10"]:
            chosen[name] = name, spicyness, sets
    return list(chosen.values())


def next_track(t: Tables, ablations: Sequence[str]) -> None:
    """Tables of the next-track protocol."""
    names = [n for n in ("mean", "classic", "gru", "rank") if n == "mean" or (MODELS / n).is_dir()]
    chosen = [option for name in names for option in ("--predictor", name)]
    everybody = [*names, *([NO_GENRES] if "rank" in names else [])]

    def all_of(*options: object) -> list[dict[str, Any]]:
        records = t.run(*chosen, "--spicyness", *SWEEP, *options)
        return records + (t.without_genres("--spicyness", *SWEEP, *options) if "rank" in names else [])

    everyone = all_of("--source", SOURCE)

    t.table(
        "The next track among 400",
        f"Each predictor at its best spicyness of {', '.join(map(str, SWEEP))}; {SOURCE}, {everyone[0]['n']:,} cases sampled from all. "
        "In brackets 95 % intervals, bootstrap over playlists. Chance is 0.025.",
        ["predictor", "spicyness", "hit@10 all", "warm", "cold", "MRR all", "median rank", "n all / warm / cold"],
        [
            [
                called(name),
                "" if s is None else f"{s:g}",
                *(hit(sets[c]) for c in ("all", "warm", "cold")),
                f"{sets['all']['mrr']:.3f}",
                f"{sets['all']['median_rank']:.0f}",
                " / ".join(f"{sets[c]['n']:,}" for c in ("all", "warm", "cold")),
            ]
            for name, s, sets in best(everyone)
        ],
    )
    sweep = by_set(everyone)
    t.table(
        "Spicyness",
        "hit@10 of all cases. Predictors fitted for a small error predict too close to the mean; a spicyness above 1 "
        "corrects that. The published 1.2 does, and more would be better still.",
        ["predictor", *(f"{s:g}" for s in SWEEP)],
        [[called(name), *(f"{sweep[name, s]['all']['hit@10']:.3f}" for s in SWEEP)] for name in everybody],
    )
    t.table(
        "Error of the predicted features",
        "Mean absolute error of the eight scaled features at spicyness 1 over the `all` cases, and its ratio to their mean absolute deviation.",
        ["predictor", "MAE", "ratio"],
        [[f"`{r['predictor']}`", f"{r['mae']:.4f}", f"{r['mae_ratio']:.3f}"] for r in everyone if "mae" in r],
    )
    hard = all_of("--source", SOURCE, "--hard-negatives")
    t.table(
        "Hard: the others are of the true track's genre",
        "Guessing the genre is not enough: all 399 others share the first genre of the true track. Each at its best spicyness. "
        "`rank` still sees the other genres of each.",
        ["predictor", "spicyness", "hit@10 all", "warm", "cold"],
        [
            [called(name), "" if s is None else f"{s:g}", *(hit(sets[c]) for c in ("all", "warm", "cold"))]
            for name, s, sets in best(hard)
        ],
    )
    if "rank" in names:
        histories = [("all tracks before, in order", []), ("the same without genres", ["--hide-genres"])]
        histories += [("shuffled", ["--shuffle"])]
        histories += [(f"the last {n} alone", ["--history", str(n)]) for n in (10, 3, 1)]
        t.table(
            "History given to `rank`",
            "The same model and cases with other histories.",
            ["history", "hit@10 all", "warm", "cold"],
            [
                [what, *(hit(sets[c]) for c in ("all", "warm", "cold"))]
                for what, options in histories
                for (name, _), sets in by_set(
                    t.run("--source", SOURCE, "--predictor", "rank", "--spicyness", 1, *options)
                ).items()
                if name == "rank"
            ],
        )
    rows = []
    for source in OTHERS:
        records = best(all_of("--source", source))
        rows.append([f"{source} ({records[0][2]['all']['n']:,})", *(hit(sets["all"]) for name, _, sets in records)])
    t.table(
        "Playlists of other sources",
        "None of these was trained on. hit@10 of all cases, each predictor at its best spicyness; in brackets after the source the number of cases. "
        "The catalogue's genres of tidytuesday's tracks come from these very playlists, so that only the column without genres counts there.",
        ["source", "popularity", *map(called, everybody)],
        rows,
    )
    if ablations:
        rows = []
        for ablation in ablations:
            name, _, folder = ablation.partition("=")
            records = t.run("--source", SOURCE, "--predictor", folder, "--spicyness", 1)
            sets = next(sets for (n, _), sets in by_set(records).items() if n != "popularity")
            rows.append([name, *(hit(sets[c]) for c in ("all", "warm", "cold"))])
        t.table(
            "Ablations of `rank`",
            "Each trained from scratch for two epochs (the shipped one for ten), one seed: `disco train cloud/rank.toml --set 'epochs = 2' --set ...`.",
            ["model", "hit@10 all", "warm", "cold"],
            rows,
        )


def continuation(t: Tables, recommenders: Sequence[str]) -> None:
    """Tables of the continuation protocols."""
    chosen = [option for name in recommenders for option in ("--recommender", name)]
    for protocol, text in CONTINUED.items():
        records = t.continued("--source", SOURCE, "--protocol", protocol, *chosen)
        if protocol == "challenge":
            records = [r for r in records if r["category"] == "mean"]
        t.table(
            f"Continuation: {protocol}",
            f"{text} {SOURCE}, {max(r['n'] for r in records):,} playlists, 500 recommendations. In brackets 95 % intervals.",
            [
                "recommender",
                "given",
                "R-precision",
                "with artists",
                "NDCG",
                "clicks",
                "distinct tracks",
                "in the first ten",
            ],
            [
                [
                    f"`{r['recommender']}`",
                    r["category"],
                    *(bracketed(r, "r_precision"), f"{r['r_precision_artists']:.3f}", bracketed(r, "ndcg")),
                    *(bracketed(r, "clicks", 2), f"{r['coverage']:,}", f"{r['coverage@10']:,}"),
                ]
                for r in sorted(records, key=lambda r: (r["category"], r["r_precision"]))
            ],
        )


def flow(t: Tables, electronic: Path) -> None:
    """Tables of the flow benchmark: people's orders, the baselines' and DISCO's."""
    heads = [
        "method",
        "keys, fifths",
        "Camelot",
        "wide",
        "tonal",
        "clashes of 10",
        "BPM change",
        "90th",
        "within 5 %",
        "within 10 %",
    ]
    heads += ["folded", "step", "worst", "coherence", "same artist", "cost", "above the best"]
    genres = f"--genre {GENRES}"
    made, protocol = t.flows("--catalogue", t.tracks, "--playlists", t.playlists, "--source", SOURCE)
    low, high = protocol["lengths"]
    command = f"`disco evaluate flow --playlists PLAYLISTS --source {SOURCE} --catalogue TRACKS`"
    people = f"{made[0]['n']} playlists of {SOURCE} with {low} to {high} tracks with features, sampled ({protocol['tracks']:,} tracks): {command}. "
    t.table(f"{FLOW}real playlists", people + CAPTION, heads, [flowing(r) for r in made])
    sampled, protocol = t.flows("--catalogue", electronic, "--genre", GENRES, "--samples", 50)
    command = f"`disco evaluate flow --samples 50 {genres} --catalogue DATASET`"
    text = f"{sampled[0]['n']} samples of {protocol['tracks']} from {protocol['of']:,} tracks of the 114k set's house, techno, trance and drum-and-bass: {command}. "
    t.table(f"{FLOW}sampled tracks", text + verdict(sampled), heads, [flowing(r) for r in sampled])
    t.table(
        f"{FLOW}keys by Camelot",
        "The same samples with `--key-rule camelot`: `order` optimises the rule that it is given.",
        heads,
        [
            flowing(r)
            for r in t.flows(
                "--catalogue",
                electronic,
                "--genre",
                GENRES,
                "--samples",
                50,
                "--key-rule",
                "camelot",
                "--baseline",
                "random",
            )[0]
        ],
    )
    t.table(
        f"{FLOW}other programs' own costs",
        "Cost of our search under another program's cost, relative to that program's own search, and in how many lists "
        "ours was no more expensive and cheaper. Our search does not start from the other program's order.",
        [
            "program",
            "real playlists",
            "not more expensive",
            "cheaper",
            "sampled tracks",
            "not more expensive",
            "cheaper",
        ],
        [
            [r["method"], *(cell for record in (r, d) for cell in own(record))]
            for r, d in zip((r for r in made if "own" in r), (d for d in sampled if "own" in d), strict=True)
        ],
    )
    rows = []
    for weight in (1, 1.25, 1.5):
        chosen = ["--predictor", "mean", "--predictor", "rank"] + (["--predictor", "classic"] if weight == 1 else [])
        asked = ["--catalogue", electronic, "--genre", GENRES, "--generate", 100, *chosen]
        grown, protocol = t.flows(*asked, "--sweetness", weight, "--smoothness", weight)
        rows += [
            [
                r["method"],
                f"{weight:g}",
                *(bracketed(r, name) for name in ("key fifths", "within_5", "step", "step_ratio")),
                f"{r['cost']:.2f}",
                f"{r['from_seeds']:.2f}",
            ]
            for r in grown
        ]
    t.table(
        f"{FLOW}playlists from a seed",
        f"{protocol['added']} tracks from {protocol['candidates']} candidates (`{protocol['recommender']}`) of the same {protocol['of']:,} tracks, from 100 sampled seeds: "
        f"`disco evaluate flow --generate 100 {genres} --catalogue DATASET`. Sweetness and smoothness 1 are the default knobs. "
        "`walk` and `nearest neighbour` measure distance to the previous track, the others to the prediction, which is why their steps are longer.",
        [
            "method",
            "sweetness, smoothness",
            "keys, fifths",
            "within 5 % BPM",
            "step",
            "step to nearest neighbour's",
            "cost",
            "from the seed",
        ],
        rows,
    )


CAPTION = (
    "Means over lists, in brackets 95 % intervals. Keys: share of transitions that each rule allows, of those with known keys; clashes are more than two steps "
    "apart on the circle of fifths. BPM change in per cent with half and double time folded, `folded` the transitions that needed it; step: distance of neighbours' "
    "scaled features; coherence: 1 - sequential variance / playlist variance; cost: ours, a transition, with all knobs 1. `our search` uses another program's cost."
)


def flowing(r: dict[str, Any]) -> list[str]:
    """One row of a table of orders."""

    def cell(name: str, digits: int = 3) -> str:
        return "" if r[name] is None else f"{r[name]:.{digits}f}"

    keys = [
        "" if r["key fifths"] is None else bracketed(r, "key fifths"),
        *(cell(f"key {rule}") for rule in ("camelot", "camelot-wide", "tonal")),
    ]
    tempos = [
        "" if r["tempo_change"] is None else bracketed(r, "tempo_change", 1),
        cell("tempo_p90", 1),
        cell("within_5"),
        cell("within_10"),
        cell("folded"),
    ]
    sound = [
        bracketed(r, "step", 2),
        cell("worst_step", 2),
        bracketed(r, "coherence", 2),
        cell("same_artist", 1),
        cell("cost", 2),
        f"{100 * r['gap']:.1f} %",
    ]
    return [f"`{r['method']}`", *keys, cell("clashes", 1), *tempos, *sound]


def own(r: dict[str, Any]) -> list[str]:
    """Cells of DISCO's search under a baseline's cost."""
    return [f"{r['own']['ratio']:.3f}", f"{r['own']['no_dearer']} of {r['n']}", str(r["own"]["cheaper"])]


def verdict(records: Sequence[dict[str, Any]]) -> str:
    """Sentences on which methods are ahead by the means of key, tempo and step."""
    by = {r["method"]: r for r in records}
    sentences = []
    for method in (flow_benchmark.ORDER, flow_benchmark.ORDER_UNWEIGHTED):
        beaten = [name for name in BASELINES if name in by and dominates(by[name], by[method])]
        sentences.append(
            f"By keys (fifths), BPM change and step `{method}` is dominated by {', '.join(beaten) or 'no other program'}; of the three it is ahead of "
        )
        sentences[-1] += (
            ", ".join(
                f"{name} in {len(ahead(by[method], by[name]))}"
                for name, baseline in BASELINES.items()
                if baseline.weighs_all and name in by
            )
            + "."
        )
    return " ".join(sentences)


def ahead(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The axes on which one method's mean is better than another's."""
    return [
        axis
        for axis in flow_benchmark.AXES
        if (one[axis] > other[axis] if axis in flow_benchmark.HIGHER_IS_BETTER else one[axis] < other[axis])
    ]


def dominates(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether one method is behind on no axis and ahead on one."""
    return not ahead(other, one) and bool(ahead(one, other))


def bracketed(record: dict[str, Any], name: str, digits: int = 3) -> str:
    """A metric with its interval."""
    low, high = record["interval"][name]
    return f"{record[name]:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def write(lines: Sequence[str], output: Path) -> None:
    """Write the file: the data, the protocol and every table; sections by other programs stay."""
    head = [
        "# Results",
        "",
        f"Written by `python benchmarks/results.py` on {date.today().isoformat()}; every number is from `disco evaluate next-track` or, where it says so, `disco evaluate continuation`, `disco evaluate flow` and `disco evaluate end-to-end`, seed 0. What did not work is on the page [Experiments](experiments.md).",
        "Data: playlists of the Million Playlist Dataset, split by `disco prepare` (seed 1) into training and validation; ordinary users' "
        f"playlists (`{SOURCE}`) and all other sources are held out whole. Cold tracks (crc32 of the id divisible by 10) are in no training set.",
        "Prepared by `disco prepare playlists.parquet --tracks tracks.parquet --names playlist_track_names.parquet --test 0 "
        + " ".join(f"--hold-out {source}" for source in (SOURCE, *OTHERS))
        + " --output data`. `classic` and `gru` are the best of three seeds on validation, `rank` and its ablations are of one; the best spicyness is chosen on the same cases, in favour of the baselines.",
        "Protocol: tracks with all features, each once in a playlist, playlists with ten or more; at every position from the sixth on the true "
        "next track against 399 sampled from the entries of the test playlists, none from the playlist itself; ties count half.",
        "Continuations: all tracks that the catalogue has, whether with features or not; recommenders with a vocabulary are trained by "
        "`make recommenders` on the training playlists and chosen by the validation ones, one seed each.",
    ]
    old = output.read_text(encoding="utf-8") if output.is_file() else ""
    output.write_text(with_others("\n".join([*head, *lines]) + "\n", old), encoding="utf-8")
    print(f"{output} written")


def rewrite(lines: Sequence[str], output: Path, heading: str) -> None:
    """Replace the tables whose headings begin so in a file; the others stay, and all stay in their places."""
    first, *parts = output.read_text(encoding="utf-8").split("\n## ")
    made = [part.rstrip() + "\n" for part in "\n".join(lines).split("\n## ")[1:]]
    at = next((i for i, part in enumerate(parts) if part.startswith(heading)), len(parts))
    before, after = ([p for p in some if not p.startswith(heading)] for some in (parts[:at], parts[at:]))
    output.write_text("\n## ".join([first.rstrip() + "\n", *before, *made, *after]), encoding="utf-8")
    print(f"{output} rewritten")


def with_others(made: str, old: str) -> str:
    r"""The page as it was made, and behind it the sections of the old one that it does not have.

    Examples
    --------
    >>> with_others("# A\n\n## B\n\nnew\n", "# A\n\n## B\n\nold\n\n## C\n\nby another\n")
    '# A\n\n## B\n\nnew\n\n## C\n\nby another\n'
    """
    headings = {part.partition("\n")[0] for part in made.split("\n## ")[1:]}
    others = [part for part in old.split("\n## ")[1:] if part.partition("\n")[0] not in headings]
    return "\n## ".join([made.rstrip() + "\n", *others]) if others else made


def main() -> None:
    """Run everything and write the file."""
    p = argparse.ArgumentParser(description="Write docs/research/results.md.")
    p.add_argument("--tracks", type=Path, required=True)
    p.add_argument("--playlists", type=Path, required=True, help="as disco prepare wrote them")
    p.add_argument("--ablation", action="append", default=[], metavar="NAME=FOLDER", help="a model to compare")
    p.add_argument(
        "--recommender",
        action="append",
        default=[],
        metavar="NAME",
        help="for the continuation protocols; may be given several times",
    )
    p.add_argument("--electronic", type=Path, metavar="FILE", help="the 114k set, for the flow benchmark")
    p.add_argument(
        "--only", choices=["flow", "end-to-end"], help="measure only these tables, and replace them in the file"
    )
    p.add_argument("--configuration", action="append", default=[], metavar="NAME", help="one more, end to end")
    p.add_argument(
        "--names", action="append", default=[], type=Path, metavar="FILE", help="names of the playlists' ids"
    )
    p.add_argument(
        "--max-playlists", type=int, default=300, metavar="N", help="of each set of cases, end to end (300)"
    )
    p.add_argument("--cases", type=int, default=10_000)
    p.add_argument("--output", type=Path, default=ROOT / "docs" / "research" / "results.md")
    arguments = p.parse_args()
    if missing := [text for text in arguments.ablation if not Path(text.partition("=")[2], "card.json").is_file()]:
        p.error(f"no model is in the folder of {missing[0]!r}")  # before ten minutes of measuring
    if arguments.only == "flow" and not arguments.electronic:
        p.error("--only flow needs --electronic FILE")
    t = Tables(arguments.tracks, arguments.playlists, arguments.cases)

    def play() -> None:
        chosen = arguments.configuration, arguments.electronic, arguments.names, arguments.max_playlists
        end_to_end(t, SOURCE, OTHERS, *chosen)

    if arguments.only == "flow":
        flow(t, arguments.electronic)
        rewrite(t.lines, arguments.output, FLOW)
        return
    if arguments.only == "end-to-end":
        play()
        rewrite(t.lines, arguments.output, END_TO_END)
        return
    next_track(t, arguments.ablation)
    if arguments.recommender:
        continuation(t, arguments.recommender)
    if arguments.electronic:
        flow(t, arguments.electronic)
    play()
    write(t.lines, arguments.output)


if __name__ == "__main__":
    main()
