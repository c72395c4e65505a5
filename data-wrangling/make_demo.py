"""Make the demo catalogue: invented tracks that are spread over music as real ones are.

`draw` makes the catalogue from the genres' statistics (demo_genres.json, which demo_genres.py fits) and from word
lists (demo_names.txt) alone, the same one for the same seed; `seeds` finds three tracks to start an example from.

    python data-wrangling/make_demo.py draw
    python data-wrangling/make_demo.py seeds

The eight features and the tempo of a genre are a Gaussian copula: each has its own distribution, and their normal
scores are correlated, within a genre and within an artist. Key and mode, duration and the rest follow the genre
alone: of the variance of the mode, the features explain 4 % within a genre (the median of 38; at most 10 %).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, product
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from demo_genres import GENRES, SCORES, STATISTICS, TIME_SIGNATURES, Columns, Floats
from numpy.typing import NDArray

import disco
from disco.catalogue import FEATURES, SCHEMA
from disco.catalogue.music import circle_position, key_similarity, tempo_change
from disco.catalogue.schema import PROVENANCE_COLUMNS
from disco.playlist.make import EXAMPLE
from disco.sources import EXAMPLE_SEEDS

HERE = Path(__file__).resolve().parent
NAMES = HERE / "demo_names.txt"
DEMO = HERE.parent / "disco" / "sources" / "demo" / "tracks.parquet"

TRACKS = 5000
SEED = 2026
# Tempos that the services report, but for rare octave errors.
TEMPO_RANGE = (50.0, 215.0)
# Neighbours in sound and in tempo, so that a playlist from their three tracks hangs together.
SEED_GENRES = ("disco", "house", "deep-house")
# In per cent: what the tempo faders of most decks can change at their finest setting.
LARGEST_TEMPO_CHANGE = 6.0

# Decimals of each feature: those that the services publish, or fewer where the difference is inaudible.
DECIMALS = {
    "acousticness": 3,
    "danceability": 3,
    "energy": 3,
    "instrumentalness": 4,
    "liveness": 3,
    "loudness": 2,
    "speechiness": 4,
    "valence": 3,
}

# --- draw: names ----------------------------------------------------------------------------------------


def read_grammars(path: Path = NAMES) -> dict[str, dict[str, list[str]]]:
    """Read the word lists into one grammar a genre: slot -> choices."""
    grammars: dict[str, dict[str, list[str]]] = {genre: {} for genre in GENRES}
    heads: Sequence[str] = GENRES
    for line in re.sub(r"\n +", " ", path.read_text(encoding="utf-8")).splitlines():
        if line.startswith("["):
            heads = GENRES if line == "[all]" else line.strip("[]").split()
        elif line and not line.startswith("#"):
            slot, choices = line.split(" = ", 1)
            for genre in heads:
                grammars[genre][slot] = ["" if one.strip() == "-" else one.strip() for one in choices.split("|")]
    return grammars


def expand(rng: np.random.Generator, grammar: dict[str, list[str]], text: str) -> str:
    """Fill the slots of a text, each with a choice of its own."""
    while slot := re.search(r"\{(\w+)\}", text):
        choices = grammar[slot[1]]
        text = text[: slot.start()] + choices[rng.integers(len(choices))] + text[slot.end() :]
    return text


def expand_new(rng: np.random.Generator, grammar: dict[str, list[str]], text: str, taken: set[str]) -> str:
    """Fill the slots of a text until it is none of the `taken`, no word says itself twice, and take it."""
    for _ in range(1000):  # a slot runs dry long before: then the word lists are too short
        name = expand(rng, grammar, text)
        words = re.findall(r"[^\W\d_]{4,}", name.casefold())
        if name.casefold() not in taken and len(words) == len(set(words)):
            taken.add(name.casefold())
            return name
    raise SystemExit(f"{NAMES.name}: no unused text left for {text}; add choices")


def albums(rng: np.random.Generator, grammar: dict[str, list[str]], artist: str, titles: list[str]) -> list[str]:
    """Name the album of each of an artist's titles: singles and albums of a few tracks, in order."""
    names: list[str] = []
    taken: set[str] = set()
    while len(names) < len(titles):
        size = min(int(rng.choice([1, 3, 4, 5, 6, 7])), len(titles) - len(names))
        title = titles[len(names)]
        style = rng.random()
        # A single is called after its song; so are a quarter of albums, and one in twenty after the artist.
        own = title if size == 1 or style < 0.25 else artist if style > 0.95 else ""
        own = own if own.casefold() not in taken else ""
        names += [own or expand_new(rng, grammar, "{album}", taken)] * size
        taken.add(own.casefold())
    return names


# --- draw: music ----------------------------------------------------------------------------------------


def artist_sizes(rng: np.random.Generator, tracks: int) -> list[int]:
    """How many tracks each artist of a genre has: 3 to 20, together `tracks`."""
    sizes: list[int] = []
    while (left := tracks - sum(sizes)) > 20:
        sizes.append(min(int(rng.integers(3, 21)), left - 3))
    return [*sizes, left]


def genre_features(
    rng: np.random.Generator, genre: dict[str, Any], artist: NDArray[np.intp]
) -> tuple[Columns, Floats]:
    """Draw the eight features of a genre's tracks, and their scores; `artist` numbers who made each of them."""
    share, size = genre["between_artists"], (len(artist), len(FEATURES))
    offsets = rng.standard_normal((int(artist.max()) + 1, len(FEATURES)))[artist]
    noise = np.sqrt(share) * offsets + np.sqrt(1 - share) * rng.standard_normal(size)
    # A dozen artists would pull the genre off its statistics: give the draw just the correlation fitted.
    noise -= noise.mean(axis=0)
    noise = np.linalg.solve(np.linalg.cholesky(np.cov(noise, rowvar=False)), noise.T).T
    scores = noise @ np.linalg.cholesky(np.array(genre["correlation"])).T
    drawn: Columns = {}
    for name, column in zip(FEATURES, scores.T, strict=True):
        values = np.interp(column, SCORES, genre["quantiles"][name])
        if name == "instrumentalness":
            values[rng.random(len(values)) < genre["no_instrumentalness"]] = 0
        drawn[name] = np.round(values, DECIMALS[name])
    return drawn, scores


def genre_tempos(genre: dict[str, Any], scores: Floats, by_artist: Floats, own: Floats, within: Floats) -> Floats:
    """Tempos of a genre's tracks in BPM, spread over its mixture in the order that features and artists give.

    `scores` are those of the features, shape (n, 8); `by_artist` and `own` are normal, `within` is uniform, all (n,).
    """
    weights, share = np.array(genre["tempo_from_features"]), genre["tempo_between_artists"]
    explained = weights @ np.array(genre["correlation"]) @ weights
    left_open = np.sqrt(share) * by_artist + np.sqrt(1 - share) * own
    order = np.argsort(np.argsort(scores @ weights + np.sqrt(max(1 - explained, 0)) * left_open))
    # One track in each of n equal shares of the mixture: a dozen artists would pull the genre off its tempos.
    octaves = np.linspace(*np.log2(TEMPO_RANGE), 4001)
    below = np.zeros(len(octaves))
    for weight, mean, sd in genre["tempo"]:
        below += weight * np.array([NormalDist(mean, sd).cdf(octave) for octave in octaves])
    chances = below[0] + (below[-1] - below[0]) * (order + within) / len(order)
    return np.asarray(np.exp2(np.interp(chances, below, octaves)))


def genre_music(rng: np.random.Generator, genre: dict[str, Any], artist: NDArray[np.intp]) -> Columns:
    """Draw all that is measured of a genre's tracks."""
    n = len(artist)
    key_mode = rng.choice(24, n, p=np.array(genre["key_mode"]) / np.sum(genre["key_mode"]))
    within, own = rng.random(n), rng.standard_normal(n)
    seconds = np.exp(rng.normal(genre["log_seconds"][0], genre["log_seconds"][1], n))
    beats = rng.choice(TIME_SIGNATURES, n, p=np.array(genre["time_signature"]) / np.sum(genre["time_signature"]))
    # Half of fame is the artist's: some tracks of a known artist are known, and the rest are not obscure.
    fame = np.sqrt(0.5) * (rng.standard_normal(artist.max() + 1)[artist] + rng.standard_normal(n))
    mean, sd = genre["popularity"]
    explicit = rng.random(n) < genre["explicit"]
    features, scores = genre_features(rng, genre, artist)
    tempo_bpm = genre_tempos(genre, scores, rng.standard_normal(artist.max() + 1)[artist], own, within)
    return {
        # From a minute to a quarter of an hour: the tails beyond are sound effects and whole concerts.
        "duration_ms": np.round(np.clip(seconds, 60, 900) * 1000),
        "popularity": np.clip(np.round(mean + sd * fame), 1, 100),
        "explicit": explicit,
        "time_signature": beats,
        "tempo_bpm": np.round(tempo_bpm, 3),  # the decimals that the services publish
        "key": key_mode // 2,
        "mode": key_mode % 2,
        **features,
    }


# --- draw: the catalogue --------------------------------------------------------------------------------

NOTES = ("C", "D-flat", "D", "E-flat", "E", "F", "F-sharp", "G", "A-flat", "A", "B-flat", "B")


def genre_columns(
    seed: int, genre: str, statistics: dict[str, Any], grammar: dict[str, list[str]], n: int, taken: set[str]
) -> dict[str, list[Any]]:
    """Invent one genre's tracks, as the columns of SCHEMA but for the id and the constants."""
    # Streams of their own: a new word leaves the numbers, and the other genres, as they are.
    where = GENRES.index(genre)
    music, words = np.random.default_rng([seed, where, 0]), np.random.default_rng([seed, where, 1])
    its_own = statistics[genre]
    sizes = artist_sizes(music, n)
    artist = np.repeat(np.arange(len(sizes)), sizes)
    columns = {name: column.tolist() for name, column in genre_music(music, its_own, artist).items()}
    people = [expand_new(words, grammar, "{artist}", taken) for _ in sizes]
    related = [other for other in grammar["related"] if other != genre]

    plain, titles, artists, genres = [], [], [], []
    for row, who in enumerate(artist.tolist()):
        mode = "major" if columns["mode"][row] else "minor"
        slots = grammar | {"key": [f"{NOTES[columns['key'][row]]} {mode}"]}
        title = expand_new(words, slots, "{title}", taken)
        parts, names = [title], [people[who]]
        # Real genres share the bill more often; among a dozen artists that would mix them into one.
        if words.random() < 0.4 * its_own["several_artists"]:
            guest = people[(who + int(words.integers(1, len(people)))) % len(people)]
            names.append(guest)
            parts.append(expand(words, grammar | {"guest": [guest]}, "{feat}"))
        # Above 0.8 the service itself says "most likely live"; half of such tracks say so themselves.
        if columns["liveness"][row] > 0.8 and words.random() < 0.5:
            parts.append(expand(words, grammar, "{live}"))
        plain.append(title)
        titles.append(" ".join(part for part in parts if part))
        artists.append(names)
        genres.append([genre, related[words.integers(len(related))]] if words.random() < 0.05 else [genre])
    album: list[str] = []
    for name, size in zip(people, sizes, strict=True):
        album += albums(words, grammar, name, plain[len(album) : len(album) + size])
    return columns | {"title": titles, "artists": artists, "album": album, "genres": genres}


def draw(statistics: dict[str, Any], seed: int = SEED) -> pa.Table:
    """Invent the demo catalogue from the genres' statistics."""
    grammars, taken = read_grammars(), set[str]()
    columns: dict[str, list[Any]] = {field.name: [] for field in SCHEMA}
    for place, genre in enumerate(GENRES):
        n = TRACKS * (place + 1) // len(GENRES) - TRACKS * place // len(GENRES)
        for name, column in genre_columns(seed, genre, statistics, grammars[genre], n, taken).items():
            columns[name] += column
    columns["track_id"] = [f"demo-{number:05d}" for number in range(1, TRACKS + 1)]
    # Spotify's scale is what the statistics were fitted to.
    columns |= {"isrc": [None] * TRACKS, "path": [None] * TRACKS, "feature_set": ["spotify"] * TRACKS}
    columns |= {name: [None] * TRACKS for names in PROVENANCE_COLUMNS.values() for name in names}
    columns["duration_ms"] = [int(value) for value in columns["duration_ms"]]
    note = f"{TRACKS:,} invented tracks; no such music exists"
    return pa.table(columns, schema=SCHEMA.with_metadata({"disco:name": "demo", "disco:note": note}))


def seeds(table: pa.Table) -> Iterator[tuple[int, int, int]]:
    """Rows of three tracks that go together, one of each of SEED_GENRES, in a random order."""
    rows = table.to_pylist()
    places = circle_position(table["key"].to_numpy(), table["mode"].to_numpy())
    tempo = table["tempo_bpm"].to_numpy()
    mixes = key_similarity(places[:, None], places) == 1
    mixes &= np.abs(tempo_change(tempo[:, None], tempo, fold=False)) <= LARGEST_TEMPO_CHANGE
    # At least the middle in all three, for everybody: a party from the first bar.
    lively = [
        place
        for place, row in enumerate(rows)
        if min(row["danceability"], row["energy"], row["valence"]) > 0.5 and not row["explicit"]
    ]
    genres = [[place for place in lively if rows[place]["genres"][0] == genre] for genre in SEED_GENRES]
    found = [three for three in product(*genres) if all(mixes[pair] for pair in pairwise(three))]
    # Thousands, most of them much like another.
    for place in np.random.default_rng(SEED).permutation(len(found)):
        yield found[place]


def can_be_played(playlist: disco.Playlist) -> bool:
    """Whether every transition of the playlist mixes, in key and in tempo, and no artist comes twice."""
    artists = [names[0] for names in playlist.tracks.table["artists"].to_pylist()]
    change = np.abs(playlist.terms["tempo_change"]).max()
    in_key = playlist.terms["key_similarity"].min() == 1
    return bool(in_key and change <= LARGEST_TEMPO_CHANGE and len(set(artists)) == len(artists))


def real_names(table: pa.Table, artists: set[str]) -> list[str]:
    """Invented artists who exist, given the case-folded names of real ones."""
    invented = {name for names in table["artists"].to_pylist() for name in names}
    return sorted(name for name in invented if name.casefold() in artists)


def write_demo(seed: int, real_tracks: Path | None, output: Path) -> None:
    """Draw the demo and write it, unless one of its artists exists in `real_tracks`."""
    table = draw(json.loads(STATISTICS.read_text()), seed)
    if real_tracks:
        real = pq.read_table(real_tracks, columns=["artists"])["artists"].to_pylist()
        known = {name.strip().casefold() for names in real for name in str(names).split(";")}
        # An artist who does not exist has no titles: the pairs need no check of their own.
        if clash := real_names(table, known):
            raise SystemExit(f"these artists exist: {', '.join(clash)}; change {NAMES.name}")
    output.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, output, compression="zstd", compression_level=19)
    print(f"{output}: {table.num_rows} tracks, {output.stat().st_size / 1000:.0f} kB")


def find_seeds(several: int) -> None:
    """Print `several` seeds of the demo from which the defaults play what mixes; those of today first if they do."""
    catalogue = disco.open()
    rows = catalogue.table.to_pylist()
    for three in chain([catalogue.rows(EXAMPLE_SEEDS)], seeds(catalogue.table)):
        if can_be_played(disco.make(catalogue, np.array(three, dtype=np.intp), **EXAMPLE)):
            print(*(rows[row]["track_id"] for row in three))
            for row in three:
                print(f"    {rows[row]['title']} by {', '.join(rows[row]['artists'])} ({rows[row]['genres'][0]})")
            several -= 1
        if several < 1:
            break


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    step = steps.add_parser("draw", help=f"write {DEMO.name} from {STATISTICS.name}")
    step.add_argument("--seed", type=int, default=SEED)
    step.add_argument("--tracks", type=Path, help="real tracks as Parquet: stop where an invented artist exists")
    step.add_argument("--output", type=Path, default=DEMO)
    step = steps.add_parser("seeds", help="print seeds from which the defaults play a set that mixes")
    step.add_argument("--several", type=int, default=1, metavar="N")
    arguments = parser.parse_args(argv)
    if arguments.step == "draw":
        write_demo(arguments.seed, arguments.tracks, arguments.output)
    else:
        find_seeds(arguments.several)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
