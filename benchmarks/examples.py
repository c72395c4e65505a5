"""What the defaults play from everyday seeds, to be read as a listener: twenty triples, on several catalogues.

python benchmarks/examples.py tracks.parquet kaggle_spotify_tracks_114k.parquet

Writes docs/research/examples.md; what a reader wrote between its marks, the judgement, stays. The lists are what
`disco generate` with the same words plays, by the library. A seed that a catalogue does not have is left out of its
lists, and named.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

import disco
from disco.catalogue import Catalogue
from disco.catalogue.text import fold_accents, normalise, printable
from disco.cli import console
from disco.errors import NotFoundError

PAGE = Path(__file__).resolve().parents[1] / "docs" / "research" / "examples.md"
# The judgement stands between these.
BEGIN, END = "<!-- by hand: begin -->", "<!-- by hand: end -->"
# What Markdown and its extensions for mathematics and attributes would read as more than a character.
SPECIAL = frozenset("\\`*_{}[]<>|&~$^")
LONGEST = 60


class Seed(NamedTuple):
    """What a user types, and how the title and an artist of the recording that is meant begin."""

    words: str
    title: str
    artist: str


TRIPLES: dict[str, tuple[Seed, Seed, Seed]] = {
    "New wave": (
        Seed("blue monday new order", "Blue Monday", "New Order"),
        Seed("just like heaven the cure", "Just Like Heaven", "The Cure"),
        Seed("there is a light that never goes out the smiths", "There Is a Light", "The Smiths"),
    ),
    "Electronic": (
        Seed("strobe deadmau5", "Strobe", "deadmau5"),
        Seed("opus eric prydz", "Opus", "Eric Prydz"),
        Seed("kerala bonobo", "Kerala", "Bonobo"),
    ),
    "Mixed": (
        Seed("them changes thundercat", "Them Changes", "Thundercat"),
        Seed("cocoa butter kisses", "Cocoa Butter Kisses", "Chance the Rapper"),
        Seed("psycho killer talking heads", "Psycho Killer", "Talking Heads"),
    ),
    "Pop": (
        Seed("blinding lights the weeknd", "Blinding Lights", "The Weeknd"),
        Seed("levitating dua lipa", "Levitating", "Dua Lipa"),
        Seed("watermelon sugar harry styles", "Watermelon Sugar", "Harry Styles"),
    ),
    "Rock": (
        Seed("smells like teen spirit nirvana", "Smells Like Teen Spirit", "Nirvana"),
        Seed("black hole sun soundgarden", "Black Hole Sun", "Soundgarden"),
        Seed("alive pearl jam", "Alive", "Pearl Jam"),
    ),
    "Hip-hop of the nineties": (
        Seed("juicy notorious big", "Juicy", "The Notorious B.I.G."),
        Seed("ny state of mind nas", "N.Y. State of Mind", "Nas"),
        Seed("it was a good day ice cube", "It Was A Good Day", "Ice Cube"),
    ),
    "Hip-hop of today": (
        Seed("humble kendrick lamar", "HUMBLE.", "Kendrick Lamar"),
        Seed("sicko mode travis scott", "SICKO MODE", "Travis Scott"),
        Seed("gods plan drake", "God's Plan", "Drake"),
    ),
    "Soul": (
        Seed("lovely day bill withers", "Lovely Day", "Bill Withers"),
        Seed("lets stay together al green", "Let's Stay Together", "Al Green"),
        Seed("ain't no mountain high enough marvin gaye", "Ain't No Mountain High Enough", "Marvin Gaye"),
    ),
    "Jazz": (
        Seed("so what miles davis", "So What", "Miles Davis"),
        Seed("take five dave brubeck", "Take Five", "The Dave Brubeck Quartet"),
        Seed("round midnight thelonious monk", "'Round Midnight", "Thelonious Monk"),
    ),
    "Classical": (
        Seed("clair de lune debussy", "Clair de lune", "Claude Debussy"),
        Seed("gymnopedie no 1 satie", "Gymnopédie No. 1", "Erik Satie"),
        Seed("nocturne op 9 no 2 chopin", "Nocturne", "Frédéric Chopin"),
    ),
    "Metal": (
        Seed("master of puppets metallica", "Master of Puppets", "Metallica"),
        Seed("paranoid black sabbath", "Paranoid", "Black Sabbath"),
        Seed("run to the hills iron maiden", "Run to the Hills", "Iron Maiden"),
    ),
    "Techno": (
        Seed("the bells jeff mills", "The Bells", "Jeff Mills"),
        Seed("spastik plastikman", "Spastik", "Plastikman"),
        Seed("your mind adam beyer", "Your Mind", "Adam Beyer"),
    ),
    "Drum and bass": (
        Seed("brown paper bag roni size", "Brown Paper Bag", "Roni Size"),
        Seed("tarantula pendulum", "Tarantula", "Pendulum"),
        Seed("tidal wave sub focus", "Tidal Wave", "Sub Focus"),
    ),
    "Latin pop": (
        Seed("despacito luis fonsi", "Despacito", "Luis Fonsi"),
        Seed("gasolina daddy yankee", "Gasolina", "Daddy Yankee"),
        Seed("bailando enrique iglesias", "Bailando", "Enrique Iglesias"),
    ),
    "Salsa": (
        Seed("vivir mi vida marc anthony", "Vivir Mi Vida", "Marc Anthony"),
        Seed("la vida es un carnaval celia cruz", "La Vida Es Un Carnaval", "Celia Cruz"),
        Seed("cali pachanguero grupo niche", "Cali Pachanguero", "Grupo Niche"),
    ),
    "K-pop": (
        Seed("dynamite bts", "Dynamite", "BTS"),
        Seed("how you like that blackpink", "How You Like That", "BLACKPINK"),
        Seed("gangnam style psy", "Gangnam Style", "PSY"),
    ),
    "Afrobeats": (
        Seed("essence wizkid", "Essence", "Wizkid"),
        Seed("last last burna boy", "Last Last", "Burna Boy"),
        Seed("calm down rema", "Calm Down", "Rema"),
    ),
    "Folk": (
        Seed("blowin in the wind bob dylan", "Blowin' in the Wind", "Bob Dylan"),
        Seed("the boxer simon and garfunkel", "The Boxer", "Simon & Garfunkel"),
        Seed("pink moon nick drake", "Pink Moon", "Nick Drake"),
    ),
    "Children's": (
        Seed("baby shark pinkfong", "Baby Shark", "Pinkfong"),
        Seed("wheels on the bus", "Wheels on the Bus", "CoComelon"),
        Seed("twinkle twinkle little star", "Twinkle Twinkle Little Star", "Super Simple Songs"),
    ),
    "Christmas": (
        Seed("last christmas wham", "Last Christmas", "Wham!"),
        Seed("rockin around the christmas tree brenda lee", "Rockin' Around the Christmas Tree", "Brenda Lee"),
        Seed("let it snow dean martin", "Let It Snow", "Dean Martin"),
    ),
}


class Played(NamedTuple):
    """A list of one triple on one catalogue, and the seeds that the catalogue does not have."""

    playlist: disco.Playlist | None
    unmatched: list[Seed]
    seconds: float


def escape(text: str | None) -> str:
    """Text of a file as one line that Markdown shows as it is, cut after `LONGEST` characters."""
    line = " ".join(printable(text).split())
    line = line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"
    return "".join(f"&#{ord(c)};" if c in SPECIAL else c for c in line)


def is_meant(seed: Seed, title: str | None, artists: Sequence[str]) -> bool:
    """Whether a track is the recording that a seed means, by how its title and one of its artists begin."""
    texts = normalise(fold_accents(pa.array([seed.title, seed.artist, title or "", *artists]))).to_pylist()
    wanted_title, wanted_artist, found_title, *found_artists = texts
    return found_title.startswith(wanted_title) and any(name.startswith(wanted_artist) for name in found_artists)


def find_seeds(catalogue: Catalogue, seeds: Sequence[Seed]) -> tuple[list[int], list[Seed]]:
    """Rows of the seeds that the catalogue has, and the others."""
    rows, unmatched = [], []
    for seed in seeds:
        try:
            row = int(catalogue.find(seed.words)[0])
        except NotFoundError:
            unmatched.append(seed)
            continue
        track = catalogue.tracks([row])[0]
        if is_meant(seed, track["title"], track["artists"] or []):
            rows.append(row)
        else:
            unmatched.append(seed)
    return rows, unmatched


def play(catalogue: Catalogue, seeds: Sequence[Seed]) -> Played:
    """The list that the defaults make from those of the seeds that the catalogue has."""
    rows, unmatched = find_seeds(catalogue, seeds)
    start = time.perf_counter()
    playlist = disco.make(catalogue, np.array(rows, dtype=np.intp)) if rows else None
    return Played(playlist, unmatched, time.perf_counter() - start)


def list_lines(played: Played) -> Iterator[str]:
    """One list as lines of Markdown."""
    if played.unmatched:
        yield "Not in this catalogue: " + ", ".join(
            f"{escape(s.title)} by {escape(s.artist)}" for s in played.unmatched
        )
        yield ""
    if played.playlist is None:
        return
    changes = [float("nan"), *played.playlist.terms["tempo_change"].tolist()]
    yield "| | title | artist | key | BPM | change |"
    yield "|---|---|---|---|---|---|"
    for track, change in zip(played.playlist.to_dict()["tracks"], changes, strict=True):
        place = "seed" if track["seed"] else str(track["position"] - played.playlist.seeds)
        bpm = "" if track["tempo_bpm"] is None else f"{track['tempo_bpm']:.0f}"
        shown = "" if np.isnan(change) else f"{change:+.1f} %"
        cells = (place, escape(track["title"]), escape(track["artist"]), track["camelot"] or "", bpm, shown)
        yield f"| {' | '.join(cells)} |"
    yield ""


def summary_line(name: str, lists: Sequence[Played]) -> str:
    """One catalogue's row of the table at the top: transitions to added tracks, artists, time."""
    made = [played.playlist for played in lists if played.playlist is not None]
    added = [slice(playlist.seeds - 1, None) for playlist in made]
    changes = [np.abs(p.terms["tempo_change"][part]) for p, part in zip(made, added, strict=True)]
    keys = np.concatenate([p.terms["key_similarity"][part] for p, part in zip(made, added, strict=True)])
    together = np.concatenate(changes)
    most = [max(Counter(names[0] for names in p.tracks.table["artists"].to_pylist() if names).values()) for p in made]
    cells = (
        name,
        f"{len(made)}",
        f"{(keys[~np.isnan(keys)] == 1).mean():.1%}",
        f"{(together[~np.isnan(together)] <= 6).mean():.1%}",
        f"{sum(bool(np.nanmax(change) <= 10) for change in changes)}",
        f"{max(most)}",
        f"{np.median([played.seconds for played in lists]):.2f}",
    )
    return f"| {' | '.join(cells)} |"


def empty_judgement(catalogues: Sequence[str]) -> str:
    """The table for the reader, before anything was judged."""
    lines = [
        "How many of the ten added tracks a listener would throw out, and which. Lists that were read: none yet.",
        "",
        f"| seeds | {' | '.join(catalogues)} | thrown out |",
        "|---|" + "---|" * len(catalogues) + "---|",
        *(f"| {name} | {' | '.join('' for _ in catalogues)} | |" for name in TRIPLES),
    ]
    return "\n".join(lines)


def kept_judgement(page: str) -> str | None:
    r"""What a reader wrote on a page; None if it has no place for that.

    Examples
    --------
    >>> kept_judgement(f"# Examples\n\n{BEGIN}\n\nAll of it belongs.\n\n{END}\n")
    'All of it belongs.'
    """
    if BEGIN not in page or END not in page:
        return None
    return page.split(BEGIN, 1)[1].split(END, 1)[0].strip()


def write_page(
    lists: Mapping[str, Sequence[Played]], sizes: Mapping[str, int], command: str, kept: str | None
) -> str:
    """The page: how it was made, what it sums up to, the judgement, the lists."""
    makers = sorted(
        {f"{p.playlist.predictor}, {p.playlist.recommender}" for x in lists.values() for p in x if p.playlist}
    )
    tables = {
        name: ["\n".join(list_lines(played[place])) for played in lists.values()]
        for place, name in enumerate(TRIPLES)
    }
    number = zlib.crc32("".join(table for each in tables.values() for table in each).encode())
    data = ", ".join(f"`{name}` ({size:,} tracks)" for name, size in sizes.items())
    lines = [
        "# Examples",
        "",
        f"Written by `{command}` on {datetime.date.today().isoformat()}. Data: {data}. The defaults of"
        f" `disco generate` (predictor and recommender: {'; '.join(makers)}). Lists {number:08x}.",
        "",
        "Twenty everyday triples of seeds, typed as a user would, and the ten tracks that follow them. Key is in"
        " Camelot notation; change is that of the tempo from the track before, half and double time folded. A seed"
        " that a catalogue does not have, or only by another artist, is left out and named.",
        "",
        "| catalogue | lists | keys go together | within 6 % | lists without a change over 10 % | most by one artist"
        " | seconds a list |",
        "|---|---|---|---|---|---|---|",
        *(summary_line(f"`{name}`", played) for name, played in lists.items()),
        "",
        "## Judgement",
        "",
        BEGIN,
        "",
        kept or empty_judgement([f"`{name}`" for name in lists]),
        "",
        END,
        "",
    ]
    if kept is not None and f"{number:08x}" not in kept:
        console.say(f"the judgement is of other lists than these, {number:08x}: read them again")
    for name, each in tables.items():
        lines += [f"## {name}", ""]
        for catalogue, table in zip(lists, each, strict=True):
            lines += [f"### {name}, {catalogue}", "", table.rstrip(), ""]
    return "\n".join(lines)


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description="Write what the defaults play from everyday seeds.")
    parser.add_argument("catalogue", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, default=PAGE)
    arguments = parser.parse_args(argv)
    lists: dict[str, list[Played]] = {}
    sizes = {}
    for path in arguments.catalogue:
        catalogue = disco.open(path)
        sizes[path.name] = len(catalogue)
        lists[path.name] = []
        for name, seeds in TRIPLES.items():
            lists[path.name].append(play(catalogue, seeds))
            console.say(f"{path.name}: {name}, {lists[path.name][-1].seconds:.2f} s")
    kept = kept_judgement(arguments.output.read_text(encoding="utf-8")) if arguments.output.is_file() else None
    command = f"python benchmarks/examples.py {' '.join(path.name for path in arguments.catalogue)}"
    arguments.output.write_text(write_page(lists, sizes, command, kept), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
