"""`disco.evaluate.end_to_end`: whole playlists by whole configurations, measured by what belongs and what mixes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from disco.catalogue import Catalogue, Filters, Rows, merge
from disco.errors import DiscoError
from disco.evaluation import end_to_end as measures
from disco.evaluation.configurations import POPULAR, PUBLISHED_SETTINGS, SEEDS_ARTISTS, Configuration, play_all
from disco.evaluation.data import entries_of, match_names
from disco.evaluation.methods import DEFAULT
from disco.evaluation.variants import Setting, settings
from disco.sources.files import playlist_tables, tables
from disco.sources.progress import progress

TITLE = "title"
# Makes and measures the list of every case: its number, the list measured, and the names of the models.
Play = Callable[
    [Configuration, Sequence[Setting], NDArray[np.intp] | None],
    Iterable[tuple[int, measures.Measured, dict[str, str]]],
]


def end_to_end(
    catalogue: Catalogue,
    playlists: str | Path,
    *,
    configurations: Sequence[str | Mapping[str, Any]] = (),
    seeds: int | str = 3,
    source: Sequence[str] | None = None,
    split: str = "test",
    train: str | Path | None = None,
    names: Sequence[str | Path] = (),
    variant: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    max_playlists: int | None = None,
    random_seed: int = 0,
    play: Play = play_all,
) -> dict[str, Any]:
    """Make playlists from the first tracks of real ones by whole configurations, and measure what they play.

    Parameters
    ----------
    catalogue : Catalogue
    playlists : str or Path
        Real playlists; those with 20 tracks or more that the catalogue has with title and artist are measured.
    configurations : sequence of str or dict
        `default`, `published`, `popular tracks`, `seeds' artists`, names of recommenders or folders of models, or
        options of `disco.make`. By default the first two, the fourth, and with `train` the third.
    seeds : int or str
        How many of the first tracks are given; `title` gives the title alone.
    source : sequence of str, optional
        Only playlists of these sources.
    split : str
        Which split of a prepared table: choose on `validation`, report on `test`.
    train : str or Path, optional
        Training playlists, which say what is popular.
    names : sequence of str or Path
        Tables with titles and artists of ids, for playlists whose ids the catalogue does not have.
    variant : str, optional
        A key of `disco.evaluation.variants.VARIANTS`: what is hidden from the configurations.
    include, exclude : sequence of str
        Only tracks, or no tracks, with a text in a column, as genre=techno; they make the catalogue smaller.
    max_playlists : int, optional
        At most so many playlists, sampled at random.
    random_seed : int
    play : callable
        Makes and measures the lists as `play_all` does, for those who have more than one process.

    Returns
    -------
    dict
        `configurations`, a list of records, and `protocol`.

    Raises
    ------
    DiscoError
        If no playlist is long enough, or a model is not there.

    Examples
    --------
    >>> import disco
    >>> import pyarrow.parquet as pq
    >>> from tempfile import TemporaryDirectory
    >>> ids = [f"demo-{i:05}" for i in range(1, 41)]
    >>> lists, positions = ["one"] * 20 + ["two"] * 20, [*range(20), *range(20)]
    >>> entries = pa.table({"playlist_id": lists, "position": positions, "track_id": ids})
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "playlists.parquet")
    ...     pq.write_table(entries, path)
    ...     results = end_to_end(disco.open(), path, configurations=["default"])
    >>> results["configurations"][0]["n"]
    2
    """
    if random_seed < 0:
        raise DiscoError(f"a random seed must be 0 or more, not {random_seed}")
    wanted = [Configuration.of(one) for one in configurations]
    wanted = wanted or [Configuration.of(name) for name in (DEFAULT, PUBLISHED_SETTINGS, SEEDS_ARTISTS)]
    if not configurations and train:
        wanted.append(Configuration.of(POPULAR))
    if include or exclude:
        mask = Filters(tuple(include), tuple(exclude)).mask(catalogue)
        catalogue = Catalogue(catalogue.table.filter(pa.array(mask)).combine_chunks(), catalogue.where)
    named = merge([tables.read(Path(path)) for path in names]) if names else None
    entries = match_names(entries_of(Path(playlists), split, source), catalogue, named)
    cases = measures.sample_cases(_playlists(entries, catalogue), _number(seeds), max_playlists, random_seed)
    plays = None
    if train:
        plays = _play_counts(match_names(entries_of(Path(train), "train"), catalogue, named), catalogue)
    known = None
    if plays is not None and cases[0].seeds:
        known = [int((plays[case.playlist[: case.seeds]] >= measures.KNOWN_FROM).sum()) for case in cases]
    popularity = measures.seed_popularity(catalogue, cases, plays)
    parts = measures.parts([case.source for case in cases], popularity, known)
    catalogues = settings(catalogue, cases, variant, random_seed)
    made = []
    for configuration in wanted:
        lists: dict[int, measures.Measured] = {}
        models: dict[str, str] = {}
        steps = play(configuration, catalogues, plays)
        for number, measured, loaded in progress(steps, len(cases), f"playlists made by {configuration.name}"):
            lists[number], models = measured, loaded or models
        made.append(
            {
                "configuration": configuration.name,
                "cases": measures.cases_name(cases, variant),
                **measures.summary([lists[i] for i in range(len(cases))], random_seed),
                **{"predictor": models.get("predictor"), "recommender": models.get("recommender")},
                "parts": [
                    {"by": by, "part": name, **measures.summary([lists[i] for i in numbers.tolist()], random_seed)}
                    for by, name, numbers in parts
                ],
            }
        )
    protocol = {
        "playlists": str(playlists),
        "sources": None if source is None else list(source),
        "split": split,
        "catalogue": catalogue.where,
        "tracks": len(catalogue),
        "variant": variant,
        "catalogues": len(catalogues),
        "seeds": seeds,
        "added": measures.LENGTH,
        "tracks_at_least": measures.MIN_TRACKS,
        "test_playlists": len(cases),
        "train": None if train is None else str(train),
        "include": ", ".join(include) or None,
        "exclude": ", ".join(exclude) or None,
        "seed": random_seed,
        "interval": "95 %, bootstrap over playlists",
    }
    return {"configurations": made, "protocol": protocol}


def _number(seeds: int | str) -> int:
    """How many seeds are given; 0 for the title alone."""
    if seeds == TITLE:
        return 0
    if not str(seeds).isdecimal() or int(seeds) < 1:
        raise DiscoError(f"--seeds must be a number of tracks or {TITLE}, not {str(seeds)!r}")
    return int(seeds)


def _playlists(entries: pa.Table, catalogue: Catalogue) -> list[tuple[Rows, str, str]]:
    """Tracks with title and artist, title and source of each playlist: the sources in the order of their names."""
    sources = entries["source"].cast(pa.string())
    found = []
    for source in sorted(pc.unique(sources).to_pylist()):
        lists, titles = playlist_tables.titled(entries.filter(pc.equal(sources, source)), catalogue)
        playable = [rows[catalogue.has_title_and_artist[rows]] for rows in lists]
        found += [(rows, title, source) for rows, title in zip(playable, titles, strict=True)]
    return found


def _play_counts(entries: pa.Table, catalogue: Catalogue) -> NDArray[np.intp]:
    """In how many playlists each track is, shape (tracks,)."""
    lists, _ = playlist_tables.titled(entries, catalogue)
    return np.bincount(np.concatenate([np.empty(0, np.intp), *lists]), minlength=len(catalogue)).astype(np.intp)
