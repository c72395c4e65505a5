"""`python -m cloud.evaluate --playlists FILE --catalogue FILE`: `disco evaluate end-to-end` on several workers.

The held-out playlists are divided among the workers; the catalogue lies in the memory that those of a machine share.
The numbers are those of `disco evaluate end-to-end`, but for the seconds a list.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cloud import cluster
from disco.cli import console, options
from disco.cli import evaluate as command
from disco.evaluation.configurations import Configuration, play_all
from disco.evaluation.end_to_end import Measured
from disco.evaluation.variants import Setting

# Blocks of playlists for each worker: the fewer, the less often models are loaded; the more, the evener the load.
_BLOCKS = 4

Played = tuple[int, Measured, dict[str, str]]


def play_on_ray(
    workers: int, configuration: Configuration, settings: Sequence[Setting], plays: NDArray[np.intp] | None
) -> Iterator[Played]:
    """Make and measure the list of every case, as `disco.evaluation.configurations.play_all` does; in any order."""
    import ray

    shared = ray.put((list(settings), plays))
    measure = ray.remote(num_cpus=1, max_retries=-1)(_play_some)
    pending = []
    for number, setting in enumerate(settings):
        blocks = max(1, min(len(setting.cases), _BLOCKS * workers // len(settings)))
        for some in np.array_split(np.arange(len(setting.cases)), blocks):
            pending.append(measure.remote(shared, configuration, number, some.tolist()))
    while pending:
        done, pending = ray.wait(pending)
        yield from ray.get(done[0])


def _play_some(
    shared: tuple[list[Setting], NDArray[np.intp] | None], configuration: Configuration, number: int, some: list[int]
) -> list[Played]:
    """Make and measure the lists of some cases of a setting, in a worker."""
    settings, plays = shared
    setting = settings[number]
    part = replace(setting, cases=[setting.cases[i] for i in some], numbers=[setting.numbers[i] for i in some])
    return list(play_all(configuration, [part], plays))


def parser() -> argparse.ArgumentParser:
    """The options of Ray; all others are those of `disco evaluate end-to-end`."""
    p = argparse.ArgumentParser(
        prog="python -m cloud.evaluate",
        description="Measure whole configurations on Ray; all other options are those of disco evaluate end-to-end.",
    )
    cluster.add_options(p, "make playlists")
    return p


@console.command
def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print one row for each configuration."""
    own, others = parser().parse_known_args(argv)
    arguments = command.parser().parse_args(["end-to-end", *others])
    catalogue = options.open_catalogue(
        arguments.catalogue, arguments.enrich_from, arguments.corrections, notes=False, cache=arguments.cache
    )
    with cluster.connected(own.address, own.workers) as n:
        results = command.end_to_end(catalogue, arguments, partial(play_on_ray, n))
    command.print_results(results, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
