"""Audio files as a source: a folder of them, or one; tags say what a track is, the sound says what tags leave out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from disco.catalogue import SCHEMA, Catalogue
from disco.catalogue.paths import numbered_folders
from disco.catalogue.text import printable
from disco.errors import DataError, DiscoError, MissingExtra, NotFoundError
from disco.sources.audio import analysis
from disco.sources.audio.cache import Measured
from disco.sources.audio.estimates import FEATURE_SET
from disco.sources.audio.tags import Tags, read_tags
from disco.sources.audio.walk import SUFFIXES, find
from disco.sources.entries import named_after_file
from disco.sources.files import text_lists
from disco.sources.progress import progress
from disco.sources.tracklist import Tracklist

NAME = "audio files"
# Tags wait for the disk more than for the processor.
_THREADS = 8
# So many files of a kind are named in a note.
_NAMED = 3


def can_read(path: Path) -> bool:
    """Whether a place is an audio file, or a folder with one in it or in a folder of it; never raises."""
    try:
        if path.is_file():
            return path.suffix.lower() in SUFFIXES
        return path.is_dir() and next(find(path, {}), None) is not None
    except (OSError, ValueError):
        return False


def read(path: Path, sound: bool = True) -> Catalogue:
    """Read an audio file, or all in a folder and its subfolders: their tags, then features measured from the sound.

    Tags take precedence over measurements. Without the extra [audio] tags are all there is, and a note says so.

    Parameters
    ----------
    path : Path
    sound : bool
        Whether to measure at all; it takes seconds a file the first time, and then the cache knows. From a script of
        your own call it under `if __name__ == "__main__":`, since processes import that script again.

    Returns
    -------
    Catalogue
        `track_id` and `path` are a file's absolute path, the origins of key and tempo "tag" or "sound";
        features, as far as they can be estimated, are of the set "audio-1".

    Raises
    ------
    NotFoundError, DataError
        If there is no such place, or no audio file in it that can be read.
    """
    where = Path(path).absolute()
    problems: dict[str, list[Path]] = defaultdict(list)
    try:
        there = where.exists()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        raise NotFoundError(f"{path}: there is no such file or folder")
    files = sorted(find(where, problems))
    if not files:
        why = "; ".join(_problems(problems, where))
        raise DataError(path, "holds no audio file" + (f" ({why})" if why else ""))
    found: list[tuple[Path, Tags]] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        tagged = zip(files, pool.map(_tags, files), strict=True)
        for file, tags in progress(tagged, len(files), "audio files read"):
            if isinstance(tags, str):
                problems[tags].append(file)
            else:
                found.append((file, tags))
    if not found and files == [where]:
        raise DataError(path, f"is not read: it is {next(iter(problems))}")
    if not found:
        raise DataError(path, f"holds no audio file that can be read ({'; '.join(_problems(problems, where))})")
    unmeasured: dict[str, list[Path]] = defaultdict(list)
    measured = {}
    if sound and analysis.available():
        measured = analysis.measure_all([file for file, _ in found], unmeasured)
    numbered = numbered_folders(map(str, files))
    tracks = [
        _track(file, tags, measured.get(file, Measured()), str(file.parent) in numbered) for file, tags in found
    ]
    table = pa.Table.from_pylist(tracks, SCHEMA)
    notes = _notes(path, where, table, found, problems)
    if measured:
        notes.append(
            f"{path}: the sound of {len(measured):,} measured: key of {_count(table, 'key_origin'):,}, tempo of "
            f"{_count(table, 'tempo_origin'):,}; energy, danceability and acousticness "
            "are estimates (docs/research/audio-analysis.md)"
        )
    elif sound and not analysis.available():
        notes.append(f"{path}: what tags leave out is not measured: {MissingExtra('soundfile', 'audio')}")
    notes += [f"{path}: {problem}" for problem in _problems(unmeasured, where, "not measured")]
    return Catalogue(table, str(path), tuple(notes))


def playlists(path: Path) -> list[Tracklist]:
    """The M3U and M3U8 files of a folder, sorted by path, entries as absolute paths; unreadable ones left out."""
    where = Path(path).absolute()
    found = []
    for file in sorted(find(where, {}, (".m3u", ".m3u8"))) if where.is_dir() else ():
        try:
            listed = text_lists.playlists(file)[0]
        except DiscoError:
            continue
        entries = [
            replace(entry, id=str(file.parent / entry.id)) if entry.id and _is_path(entry.id) else entry
            for entry in listed.entries
        ]
        found.append(Tracklist(listed.name or file.stem, entries))
    return found


def _is_path(entry: str) -> bool:
    return Path(entry).suffix.lower() in SUFFIXES and "://" not in entry


def _tags(file: Path) -> Tags | str:
    """The tags of a file, or why there are none, as the end of a sentence about such files."""
    try:
        return read_tags(file)
    except DataError as error:
        return str(error).rpartition(": ")[2]


def _track(file: Path, tags: Tags, sound: Measured, numbered: bool = False) -> dict[str, object]:
    """A file as a row of `SCHEMA`; a file without title is called by its name, `Artist - Title` or `03 - Title`."""
    artist, title = ("", file.stem) if tags.title else named_after_file(file.stem, numbered)
    key, mode = tags.key or (sound.key, sound.mode)
    features = {name: getattr(sound, name) for name in ("loudness", "energy", "acousticness", "danceability")}
    measured = set(features.values()) != {None}
    if not measured:  # energy of a tag is on another scale than what is measured, and never mixed with it
        features["energy"] = tags.energy
    feature_set = FEATURE_SET if measured else None if tags.energy is None else "comment"
    return {
        "track_id": _text(file),
        "title": tags.title or _clean(title),
        # An empty list is nobody whom we can name: unlike an unknown artist, it may be played.
        "artists": tags.artists or ([_clean(artist)] if artist else []),
        "album": tags.album,
        "genres": tags.genres or None,
        "duration_ms": tags.duration_ms,
        "isrc": tags.isrc,
        "path": _text(file),
        "tempo_bpm": tags.tempo_bpm or sound.tempo_bpm,
        "key": key,
        "mode": mode,
        **features,
        "feature_set": feature_set,
        "key_origin": "tag" if tags.key else "sound" if sound.key is not None else None,
        "key_confidence": None if tags.key else sound.key_confidence,
        "tempo_origin": "tag" if tags.tempo_bpm else "sound" if sound.tempo_bpm else None,
        "tempo_confidence": None if tags.tempo_bpm else sound.tempo_confidence,
    }


def _text(path: Path) -> str:
    """A path as text that can be written anywhere; bytes of a name that are no UTF-8 become signs."""
    return str(path).encode(errors="backslashreplace").decode()


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()


def _notes(
    path: Path, where: Path, table: pa.Table, found: Sequence[tuple[Path, Tags]], problems: dict[str, list[Path]]
) -> list[str]:
    keys, tempos = (_count(table, name, "tag") for name in ("key_origin", "tempo_origin"))
    notes = [f"{path}: {len(found):,} audio files; tags name the key of {keys:,} and the tempo of {tempos:,}"]
    if untitled := [file for file, tags in found if not tags.title]:
        notes.append(f"{path}: {len(untitled):,} without a title in their tags go by their file's name")
    odd = [tags.odd_key for _, tags in found if tags.odd_key]
    if odd:
        notes.append(f"{path}: {len(odd):,} keys taken as unknown: {_shown(odd)}")
    if odd := [tags.odd_tempo for _, tags in found if tags.odd_tempo]:
        notes.append(f"{path}: {len(odd):,} tempos taken as unknown: {_shown(odd)}")
    if scaled := [tags for _, tags in found if tags.scaled_tempo]:
        first = f"{printable(scaled[0].scaled_tempo)[:20]} as {scaled[0].tempo_bpm:.2f}"
        notes.append(f"{path}: {len(scaled):,} tempos read as hundredths or tenths: {first}")
    return notes + [f"{path}: {problem}" for problem in _problems(problems, where)]


def _shown(texts: Sequence[str]) -> str:
    return ", ".join(repr(printable(text)[:20]) for text in list(dict.fromkeys(texts))[:_NAMED])


def _count(table: pa.Table, column: str, origin: str = "sound") -> int:
    return sum(value == origin for value in table[column].to_pylist())


def _problems(problems: dict[str, list[Path]], where: Path, fate: str = "left out") -> list[str]:
    """A sentence for each kind of problem, with how many files have it and the first of them."""
    sentences = []
    for what, files in sorted(problems.items()):
        names = [printable(_text(f.relative_to(where))) or printable(f.name) for f in sorted(files)[:_NAMED]]
        more = f" and {len(files) - _NAMED:,} more" if len(files) > _NAMED else ""
        sentences.append(f"{len(files):,} {fate}, {what}: {', '.join(names)}{more}")
    return sentences
