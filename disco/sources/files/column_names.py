"""What the columns of tables are called by their makers, in all languages, and which column of a table is which."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from disco.catalogue import FEATURES
from disco.catalogue.schema import PROVENANCE_COLUMNS
from disco.catalogue.text import PLAIN_LETTERS
from disco.errors import DataError

_LONGEST_NAME = 60


def letters(names: Sequence[str]) -> list[str]:
    """Letters and digits of names, without accents and in lower case.

    Examples
    --------
    >>> letters(["Track URI", "Künstlername(n)", "energy_%"])
    ['trackuri', 'kunstlernamen', 'energy']
    """
    short = [name if len(name) <= _LONGEST_NAME else "" for name in names]
    folded = [unicodedata.normalize("NFKD", name.casefold().translate(PLAIN_LETTERS)) for name in short]
    # In NFKD accents are characters of their own, which are no word characters.
    return [re.sub(r"[\W_]", "", name) for name in folded]


# Letters and digits alone, the preferred name first. Rekordbox and Serato write theirs in the user's language.
NAMES: dict[str, list[str]] = {
    name: letters(words.split())
    for name, words in {
        "track_id": "trackid trackuri spotifytrackid spotifyid spotifyuri spotifytrackuri uri id songid",
        "title": "title trackname name tracktitle song songname songtitle track tracktitel titel titre "
        "titredumorceau titulo titulodelapista titulodafaixa titolo titolotraccia nummertitel tytul navn "
        "название названиетрека трек トラックタイトル タイトル 曲名 曲目 歌曲标题 标题 曲目标题 標題 曲目標題 "
        "트랙제목 제목 곡명",
        "artists": "artists artistnames trackartist trackartists artist artistname artistsname songartist kunstler "
        "interpret interpreten artiste artista artistas artiest interprete wykonawca artisti performer исполнитель "
        "артист アーティスト 艺术家 艺人 演出者 歌手 아티스트",
        "album": "album albumname trackalbumname release albumtitle альбом アルバム 专辑 專輯 앨범",
        "genres": "genres trackgenre genre playlistgenre playlistsubgenre artistgenres topgenre generos genero "
        "genere жанр ジャンル 流派 类型 類型 장르",
        "duration_ms": "durationms trackdurationms tracklengthms lengthms durationmillis durationmilliseconds "
        "duration length time tracklength trackduration lengthduration trackslength durations durationsec "
        "durationseconds lengthseconds tracktime tracktimes lengthsec totaltime playtime zeit dauer lange temps "
        "duree tiempo duracion durata duracao tijd czas время 時間 时间 시간 tempo",
        "popularity": "popularity trackpopularity songpopularity",
        "explicit": "explicit isexplicit",
        "time_signature": "timesignature meter timesig",
        "isrc": "isrc isrccode isrcs",
        "path": "path location file filepath fullpath filelocation dateipfad chemin filename",
        "tempo_bpm": "tempobpm bpm tempo beatsperminute beatsperminutebpm songbpm bpmest avgbpm",
        "key": "key initialkey camelot musicalkey keyname camelotkey keycamelot camelotcode camelotwheel openkey "
        "keysignature songkey tonart tonalite tonalidad tonalita tonalidade toonsoort tonacja тональность キー "
        "调 调性 調 調音 音調 키 조성",
        "mode": "mode majorminor keymode scale songmode",
        **{feature: f"{feature} song{feature} audio{feature} track{feature}" for feature in FEATURES},
        "feature_set": "featureset",
        **{name: name.replace("_", "") for names in PROVENANCE_COLUMNS.values() for name in names},
        # Not columns of a catalogue: a page of the track, the playlist that it is in, and when it was played.
        "link": "url link trackurl spotifyurl songurl spotifylink tracklink externalurl trackhref",
        "playlist": "playlistname playlist playlistid playlisttitle",
        "started": "starttime startzeit heuredebut heurededebut horadeinicio oradiinizio playedat timeplayed",
    }.items()
}
# Short names of features, which count only where a table has several: `Live` alone may mean anything.
_SHORT = {
    "acousticness": "acoustic acous acoustics",
    "danceability": "dance dnce dancability",
    "energy": "nrgy energylevel mikenergy energyrating",
    "instrumentalness": "instrumental instr instrumentalless",
    "liveness": "live",
    "loudness": "louddb loudnessdb loud db loudnesslufs",
    "speechiness": "speech spch speechness",
    "valence": "val happy happiness positivity mood",
    "popularity": "pop",
    "duration_ms": "dur",
}
_LEAST_FEATURES = 2
# Energy as Mixed In Key calls it is a feature on its own.
_ALONE = ("energylevel", "mikenergy")
# A line of signs that separate columns is no header; the widest table known has 200.
_MOST_COLUMNS = 2000


def find_columns(header: Sequence[str], names: dict[str, list[str]] = NAMES) -> dict[str, list[int]]:
    """Positions of the columns of a header by what they hold, the preferred first; each column holds one thing.

    Examples
    --------
    >>> find_columns(["#", "Song", "Artist", "Camelot", "Key"])
    {'title': [1], 'artists': [2], 'key': [4, 3]}
    """
    there = letters(header[:_MOST_COLUMNS])
    found: dict[str, list[int]] = {}
    taken: set[int] = set()

    def take(column: str, known: Sequence[str]) -> None:
        matching = [i for i, name in enumerate(there) if name in known and i not in taken]
        if matching:
            matching.sort(key=lambda i: known.index(there[i]))
            # A table may have several columns of genres and keys, and is read whole; of others the best counts.
            found[column] = matching if column in ("genres", "key") else matching[:1]
            taken.update(found[column])

    # Italian has tempo for the duration, where the tempo itself is called BPM.
    for column in sorted(names, key=lambda column: column == "duration_ms"):
        take(column, names[column])
    if names is NAMES:
        short = {column: [name for name in words.split() if name in there] for column, words in _SHORT.items()}
        several = sum(bool(short[f]) or f in found for f in FEATURES) >= _LEAST_FEATURES
        for column, known in short.items():
            counted = [name for name in known if several or name in _ALONE]
            if counted and column not in found:
                take(column, counted)
    return found


def known_columns(names: Sequence[str], path: Path) -> dict[str, list[str]]:
    """Map each column of a catalogue to the columns of a file that hold it: several for genres and keys.

    Raises
    ------
    DataError
        If no column identifies the tracks, or two columns that are read have the same name.
    """
    positions = find_columns(names)
    if not _identify(positions):
        listed = ", ".join(repr(name[:_LONGEST_NAME]) for name in names[:12]) + (", ..." if len(names) > 12 else "")
        raise DataError(
            path,
            "has no column of track ids (track_id, id or Track URI), nor of titles and artists; "
            f"its columns are {listed}",
        )
    found = {column: [names[i] for i in at] for column, at in positions.items()}
    taken = [name for group in found.values() for name in group]
    if twice := [name for name in taken if names.count(name) > 1]:
        raise DataError(path, f"has {names.count(twice[0])} columns called {twice[0]!r}; leave one")
    return found


def is_header(names: Sequence[str]) -> bool:
    """Whether these are the column names of a table of tracks."""
    return len(names) > 1 and _identify(find_columns(names))


def misspelt(names: Sequence[str], read: Sequence[str]) -> list[tuple[str, str]]:
    """Columns that are not read and are called nearly as a feature, with the name of the feature.

    Examples
    --------
    >>> misspelt(["title", "enrgy"], ["title"])
    [('enrgy', 'energy')]
    """
    others = [name for name in names if name not in read]
    there = letters(others)
    found = []
    for feature in FEATURES:
        close = difflib.get_close_matches(feature, there, n=1, cutoff=0.8)
        if close and feature not in letters(read):
            found.append((others[there.index(close[0])], feature))
    return found


def _identify(found: dict[str, list[int]]) -> bool:
    """Whether columns tell what the tracks are."""
    if "track_id" in found or {"title", "artists"} <= set(found) or {"path", "tempo_bpm"} <= set(found):
        return True
    return "title" in found and not {"tempo_bpm", "key", "isrc", "link"}.isdisjoint(found)


def fit(header: Sequence[str], lengths: Sequence[int], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """A header that fits the rows: without doubles, and with the numbers of rows that some programs leave unnamed.

    Parameters
    ----------
    header : sequence of str
    lengths : sequence of int
        How many values each of some rows has.
    rows : sequence of sequence of str
        These rows.

    Returns
    -------
    header : list of str
    notes : list of str

    Examples
    --------
    >>> fit(["Title", "Explicit", "Explicit", "BPM"], [3], [["Tide", "no", "124"]])
    (['Title', 'Explicit', 'BPM'], ["2 columns called 'Explicit', and one value for both"])
    >>> fit(["title", "bpm"], [3, 3], [["1", "Tide", "124"], ["2", "Salt", "125"]])[0]
    ['', 'title', 'bpm']
    """
    names, notes = list(header), []
    doubles = [i for i, name in enumerate(names) if name and name in names[:i]]
    fitting = sum(length == len(names) for length in lengths)
    if doubles and sum(length == len(names) - len(doubles) for length in lengths) > fitting:
        notes = [f"2 columns called {names[i]!r}, and one value for both" for i in doubles]
        names = [name for i, name in enumerate(names) if i not in doubles]
    else:
        for i in doubles:
            notes.append(f"{names.count(names[i])} columns called {names[i]!r}: the first is read")
        for i in doubles:
            names[i] = f"{header[i]} ({header[: i + 1].count(header[i])})"
    longer = [row for row in rows if len(row) == len(names) + 1]
    if longer and 2 * len(longer) > len(rows) and all(row[0].strip().isdecimal() for row in longer):
        names.insert(0, "")
    return names, notes
