"""Read real files of other projects: every one right, or refused by what it is.

    python benchmarks/fixtures.py FOLDER [--table FILE.md] [--list FILE.csv]

FOLDER holds a checkout of a project in each folder of its own, as `FOLDER/mutagen`. Nothing of it is kept. Every file
whose name or beginning is that of music or a list of it is opened as a catalogue, with its sound, and as a playlist.
Where mutagen is installed, title and duration are compared with what it reads of the same file, and with libsndfile.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from disco import sources
from disco.catalogue import Catalogue
from disco.errors import DiscoError
from disco.sources.audio.walk import SUFFIXES

LISTS = ".crate .csv .db .edb .jspf .m3u .m3u8 .nml .pdb .pls .session .sqlite .tsv .vdjfolder .xspf".split()
# Of these only some are lists: what a source recognises, and XML and JSON whose names say so.
PERHAPS = (".xml", ".json", ".txt", ".zip")
NAMED = ("database v2", "library", "playlist", "collection", "rekordbox", "traktor", "itunes", "spotify")
SLOW_S = 20.0
# Of a damaged file mutagen computes lengths of millions of years.
LONGEST_S = 1e6


@dataclass(frozen=True)
class Result:
    """What became of a file: `read`, `refused` or `wrong`, and the sentence or the difference."""

    project: str
    file: str
    kind: str
    outcome: str
    why: str = ""
    seconds: float = 0.0


def files(folder: Path) -> Iterator[Path]:
    """Files of a project that are music or lists of it by their names."""
    for path in sorted(folder.rglob("*")):
        suffix, name = path.suffix.lower(), path.name.lower()
        parts = {part.lower() for part in path.relative_to(folder).parts[:-1]}
        if (
            not path.is_file()
            or path.is_symlink()
            or parts & {".git", "node_modules", "ui", "docs", "i18n", "locales"}
        ):
            continue
        listed = suffix in PERHAPS and any(word in name for word in NAMED)
        if suffix in (*SUFFIXES, *LISTS) or name == "database v2" or listed:
            yield path


def tried(project: str, path: Path, folder: Path) -> Result:
    """Open a file as a catalogue and as a playlist."""
    began = time.process_time()
    kind = path.suffix.lower()[1:] or path.name
    where = str(path.relative_to(folder))
    refusals: list[str] = []
    outcome, why = "refused", ""
    try:
        catalogue = sources.open(path, cache=False)
        outcome, why = "read", compared(path, catalogue)
        if why:
            outcome = "wrong"
    except DiscoError as error:
        refusals.append(str(error))
    except Exception as error:
        outcome, why = "wrong", f"{type(error).__name__}: {error}"
    if outcome == "refused":
        try:
            tracklist, _ = sources.open_playlist(path, cache=False)
            outcome, why = "read", "" if len(tracklist) else "no track"
        except DiscoError as error:
            refusals.append(str(error))
        except Exception as error:
            outcome, why = "wrong", f"{type(error).__name__}: {error}"
    if outcome == "refused":
        why = refusals[-1].replace(str(path), "FILE")
        if any("\n" in text for text in refusals):
            outcome = "wrong"
    seconds = time.process_time() - began
    if seconds > SLOW_S:
        outcome, why = "wrong", f"{seconds:.0f} s"
    return Result(project, where, kind, outcome, " ".join(why.split())[:300], seconds)


def compared(path: Path, catalogue: Catalogue) -> str:
    """How a file's title and duration differ from what mutagen reads; empty where they do not."""
    if path.suffix.lower() not in SUFFIXES:
        return ""
    try:
        from mutagen import File
    except ImportError:
        return ""
    try:
        theirs = File(path, easy=True)
    except Exception:  # what mutagen cannot read is no measure
        return ""
    if theirs is None:
        return ""
    ours = catalogue.table.to_pylist()[0]
    titles = [str(text).split("\0")[0].strip() for text in (theirs.get("title") or [])] if theirs.tags else []
    if titles and titles[0] and ours["title"] not in (*titles, path.stem.replace("_", " ")):
        return f"title {ours['title']!r}, mutagen has {titles[0]!r}"
    seconds = (ours["duration_ms"] or 0) / 1000
    # Both estimate the length of some MP3 files; one that decodes the sound decides.
    lengths = [
        length for length in (getattr(theirs.info, "length", None), decoded_length(path)) if length and length < 1e6
    ]
    if seconds and lengths and all(abs(length - seconds) > max(0.5, 0.1 * length) for length in lengths):
        return f"duration {seconds:.2f} s, others have {lengths} s"
    return ""


def decoded_length(path: Path) -> float | None:
    """Seconds of a file as libsndfile has them; None if it cannot decode it."""
    import soundfile

    try:
        return float(soundfile.info(path).duration)
    except Exception:  # a damaged file leads a decoder anywhere
        return None


def main() -> int:
    """Read all, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--table", type=Path, help="write the table as Markdown")
    parser.add_argument("--list", type=Path, help="write every file with its outcome as CSV")
    arguments = parser.parse_args()
    found: dict[str, list[Result]] = defaultdict(list)
    for project in sorted(path for path in arguments.folder.iterdir() if path.is_dir()):
        for path in files(project):
            found[project.name].append(tried(project.name, path, arguments.folder))
    lines = ["| Project | Files | Read right | Refused by name | Wrong | Kinds |", "|---|---:|---:|---:|---:|---|"]
    for name, results in found.items():
        outcomes = Counter(result.outcome for result in results)
        kinds = ", ".join(kind for kind, _ in Counter(result.kind for result in results).most_common())
        counts = " | ".join(str(n) for n in (len(results), outcomes["read"], outcomes["refused"], outcomes["wrong"]))
        lines.append(f"| {name} | {counts} | {kinds} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.table:
        arguments.table.write_text(text, encoding="utf-8")
    every = [result for results in found.values() for result in results]
    if arguments.list:
        with arguments.list.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["project", "file", "outcome", "why", "seconds"])
            writer.writerows([r.project, r.file, r.outcome, r.why, f"{r.seconds:.1f}"] for r in every)
    return 1 if any(result.outcome == "wrong" for result in every) else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
