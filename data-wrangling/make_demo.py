"""Make the demo catalogue: invented tracks that are spread over music as real ones are.

`fit` reads real tracks and writes summary statistics, genre by genre (demo_genres.json); `draw` makes the
catalogue from those and from word lists (demo_names.txt) alone, the same one for the same seed.

    python data-wrangling/make_demo.py fit --tracks tracks.parquet
    python data-wrangling/make_demo.py draw

The eight features of a genre are a Gaussian copula: each feature has its quantiles, and their normal scores
are correlated. Key and mode, tempo, duration and the rest are drawn independently of them.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from disco.catalogue import FEATURES, SCHEMA
from disco.catalogue.schema import PROVENANCE_COLUMNS

HERE = Path(__file__).resolve().parent
STATISTICS = HERE / "demo_genres.json"
NAMES = HERE / "demo_names.txt"
DEMO = HERE.parent / "disco" / "sources" / "demo" / "tracks.parquet"

TRACKS = 5000
SEED = 2026
# Left out are genres whose rows in the 114k tracks are something else (reggae there is reggaeton, dub is
# dubstep) and near copies (latin, acoustic, indie).
GENRES = (
    *("ambient", "trip-hop", "house", "deep-house", "techno", "detroit-techno", "trance", "drum-and-bass"),
    *("disco", "funk", "soul", "r-n-b", "gospel", "hip-hop", "jazz", "blues", "classical", "piano"),
    *("folk", "singer-songwriter", "bluegrass", "country", "indie-pop", "rock", "alt-rock", "psych-rock"),
    *("punk", "metal", "pop", "synth-pop", "k-pop", "reggaeton", "salsa", "tango", "samba"),
    *("dancehall", "ska", "afrobeat"),
)
# Neighbours in sound, so that a playlist between their three tracks hangs together.
SEED_GENRES = ("funk", "soul", "disco")

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
INSTRUMENTALNESS = FEATURES.index("instrumentalness")
# Normal scores of the stored quantiles. Out to one track in 700: a genre has about 1,000 to fit to.
SCORES = np.linspace(-3, 3, 25)
CHANCES = [NormalDist().cdf(score) for score in SCORES]
TIME_SIGNATURES = (1, 3, 4, 5)

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]


# --- fit ------------------------------------------------------------------------------------------------


def between_artists(scores: Floats, artists: NDArray[Any]) -> float:
    """Share of the variance within a genre that lies between artists, 0-1 (one-way analysis of variance)."""
    _, artist, counts = np.unique(artists, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(artist, column) / counts for column in scores.T], axis=1)
    within = np.square(scores - means[artist]).sum() / (len(scores) - len(counts))
    between = (counts[:, None] * np.square(means - scores.mean(axis=0))).sum() / (len(counts) - 1)
    typical_count = (counts.sum() - np.square(counts).sum() / counts.sum()) / (len(counts) - 1)
    variance = max((between - within) / typical_count, 0.0)
    return float(variance / (variance + within))


def correlation(scores: Floats, used: NDArray[np.bool_]) -> Floats:
    """Correlation of the scores, those with instrumentalness from the rows that are `used` alone."""
    joint: Floats = np.asarray(np.corrcoef(scores, rowvar=False))
    joint[INSTRUMENTALNESS] = np.asarray(np.corrcoef(scores[used], rowvar=False))[INSTRUMENTALNESS]
    joint[:, INSTRUMENTALNESS] = joint[INSTRUMENTALNESS]
    # Two sets of rows can contradict each other: keep the matrix positive, with room for rounding.
    values, vectors = np.linalg.eigh(joint)
    joint = (vectors * np.maximum(values, 1e-2)) @ vectors.T
    return np.asarray(joint / np.sqrt(np.outer(joint.diagonal(), joint.diagonal())))


def tempo_mixture(tempo_bpm: Floats) -> list[list[float]]:
    """Weight, mean and standard deviation of one to three normals of log2 tempo: the best by BIC."""
    from sklearn.mixture import GaussianMixture

    octaves = np.log2(tempo_bpm)[:, None]
    # The floor, a hundredth of an octave, is about 1 BPM: narrower would be the habit of one producer.
    fits = [GaussianMixture(n, reg_covar=1e-4, random_state=0, n_init=3).fit(octaves) for n in (1, 2, 3)]
    best = min(fits, key=lambda fit: float(fit.bic(octaves)))
    rows = zip(best.weights_, best.means_[:, 0], np.sqrt(best.covariances_[:, 0, 0]), strict=True)
    return sorted([round(float(number), 4) for number in row] for row in rows)


def shares(counts: Floats) -> list[float]:
    """Counts as shares that sum to 1 but for rounding."""
    return [round(float(share), 4) for share in counts / counts.sum()]


def genre_statistics(tracks: Columns) -> dict[str, Any]:
    """Summary statistics of one genre's tracks."""
    # Nearly half of all tracks have no instrumentalness at all: that is a share of its own, not a quantile.
    used = tracks["instrumentalness"] > 0
    quantiles, columns = {}, []
    for name in FEATURES:
        values = tracks[name][used] if name == "instrumentalness" else tracks[name]
        quantiles[name] = [float(f"{value:.4g}") for value in np.quantile(values, CHANCES)]
        columns.append(np.interp(tracks[name], quantiles[name], SCORES))
    scores = np.stack(columns, axis=1)
    log_seconds = np.log(tracks["duration_ms"] / 1000)
    # 10 and below is mostly the second copy of a track that is popular under another id.
    popularity = tracks["popularity"][tracks["popularity"] > 10]
    key_mode = np.bincount(tracks["key"] * 2 + tracks["mode"], minlength=24).astype(float)
    beats = np.array([(tracks["time_signature"] == beat).sum() for beat in TIME_SIGNATURES], dtype=float)
    values = np.stack([tracks[name] for name in FEATURES], axis=1)
    return {
        "tracks": len(scores),
        "quantiles": quantiles,
        "correlation": np.round(correlation(scores, used), 3).tolist(),
        "between_artists": round(between_artists(np.delete(scores, INSTRUMENTALNESS, 1), tracks["artist"]), 3),
        "no_instrumentalness": round(float(1 - used.mean()), 3),
        "key_mode": shares(key_mode),
        "tempo": tempo_mixture(tracks["tempo"][tracks["tempo"] > 0]),
        "log_seconds": [round(float(log_seconds.mean()), 3), round(float(log_seconds.std()), 3)],
        "time_signature": shares(beats),
        "explicit": round(float(tracks["explicit"].mean()), 3),
        "several_artists": round(float(tracks["shared"].mean()), 3),
        "popularity": [round(float(popularity.mean()), 1), round(float(popularity.std()), 1)],
        # What the draw is measured against: the means of the features themselves.
        "feature_mean": np.round(values.mean(axis=0), 4).tolist(),
        "feature_sd": np.round(values.std(axis=0), 4).tolist(),
    }


def fit(path: Path) -> dict[str, Any]:
    """Summary statistics of the real tracks at `path`, genre by genre."""
    table = pq.read_table(path)
    tracks: Columns = {name: np.asarray(table[name].to_pylist()) for name in table.column_names}
    tracks["artist"] = np.array([str(artists).split(";")[0] for artists in tracks["artists"]])
    tracks["shared"] = np.array([";" in str(artists) for artists in tracks["artists"]])
    # 0 danceability: the service found no beat, as in noise and silence; 0 duration: an empty row.
    measured = (tracks["danceability"] > 0) & (tracks["duration_ms"] > 0)
    tracks = {name: column[measured] for name, column in tracks.items()}

    genres = {}
    for genre in GENRES:
        (rows,) = np.nonzero(tracks["track_genre"] == genre)
        rows = rows[np.unique(tracks["track_id"][rows], return_index=True)[1]]
        genres[genre] = genre_statistics({name: column[rows] for name, column in tracks.items()})
    return genres


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


def genre_features(rng: np.random.Generator, genre: dict[str, Any], artist: NDArray[np.intp]) -> Columns:
    """Draw the eight features of a genre's tracks; `artist` numbers who made each of them."""
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
    return drawn


def genre_music(rng: np.random.Generator, genre: dict[str, Any], artist: NDArray[np.intp]) -> Columns:
    """Draw all that is measured of a genre's tracks."""
    n = len(artist)
    key_mode = rng.choice(24, n, p=np.array(genre["key_mode"]) / np.sum(genre["key_mode"]))
    weights, means, sds = np.array(genre["tempo"]).T
    component = rng.choice(len(weights), n, p=weights / weights.sum())
    tempo_bpm = np.exp2(rng.normal(means[component], sds[component]))
    seconds = np.exp(rng.normal(genre["log_seconds"][0], genre["log_seconds"][1], n))
    beats = rng.choice(TIME_SIGNATURES, n, p=np.array(genre["time_signature"]) / np.sum(genre["time_signature"]))
    # Half of fame is the artist's: some tracks of a known artist are known, and the rest are not obscure.
    fame = np.sqrt(0.5) * (rng.standard_normal(artist.max() + 1)[artist] + rng.standard_normal(n))
    mean, sd = genre["popularity"]
    return {
        # From a minute to a quarter of an hour: the tails beyond are sound effects and whole concerts.
        "duration_ms": np.round(np.clip(seconds, 60, 900) * 1000),
        "popularity": np.clip(np.round(mean + sd * fame), 1, 100),
        "explicit": rng.random(n) < genre["explicit"],
        "time_signature": beats,
        # What the service itself reports, but for rare octave errors.
        "tempo_bpm": np.round(np.clip(tempo_bpm, 50, 215), 2),
        "key": key_mode // 2,
        "mode": key_mode % 2,
        **genre_features(rng, genre, artist),
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


def seeds(table: pa.Table) -> list[dict[str, Any]]:
    """Three tracks to start the example playlist from: each of SEED_GENRES' most popular to dance to."""
    # About the middle of these genres in all three, at the pace of a dance floor: a party from the first bar.
    lively = ("danceability", "energy", "valence")
    rows = [
        row
        for row in table.to_pylist()
        if min(row[name] for name in lively) > 0.65 and 100 < row["tempo_bpm"] < 128 and not row["explicit"]
    ]
    return [
        max((row for row in rows if row["genres"][0] == genre), key=lambda row: float(row["popularity"]))
        for genre in SEED_GENRES
    ]


def real_names(table: pa.Table, artists: set[str]) -> list[str]:
    """Invented artists who exist, given the case-folded names of real ones."""
    invented = {name for names in table["artists"].to_pylist() for name in names}
    return sorted(name for name in invented if name.casefold() in artists)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the two steps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    step = steps.add_parser("fit", help=f"write {STATISTICS.name} from real tracks")
    step.add_argument("--tracks", type=Path, required=True, help="the 114k Spotify tracks as Parquet")
    step = steps.add_parser("draw", help=f"write {DEMO.name} from {STATISTICS.name}")
    step.add_argument("--seed", type=int, default=SEED)
    step.add_argument("--tracks", type=Path, help="real tracks as Parquet: stop where an invented artist exists")
    step.add_argument("--output", type=Path, default=DEMO)
    arguments = parser.parse_args(argv)

    if arguments.step == "fit":
        text = json.dumps(fit(arguments.tracks), separators=(",", ":"), allow_nan=False)
        STATISTICS.write_text(text.replace('},"', '},\n"') + "\n")  # a line a genre, so that a change can be read
        return 0
    table = draw(json.loads(STATISTICS.read_text()), arguments.seed)
    if arguments.tracks:
        real = pq.read_table(arguments.tracks, columns=["artists"])["artists"].to_pylist()
        known = {name.strip().casefold() for names in real for name in str(names).split(";")}
        # An artist who does not exist has no titles: the pairs need no check of their own.
        if clash := real_names(table, known):
            raise SystemExit(f"these artists exist: {', '.join(clash)}; change {NAMES.name}")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, arguments.output, compression="zstd", compression_level=19)
    print(f"{arguments.output}: {table.num_rows} tracks, {arguments.output.stat().st_size / 1000:.0f} kB; seeds:")
    for row in seeds(table):
        print(f"{row['track_id']}  {row['title']} by {', '.join(row['artists'])} ({row['genres'][0]})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
