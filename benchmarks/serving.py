"""Two ways to serve the page from several processes: `disco app`, and Ray Serve around the same application.

    python benchmarks/serving.py [--catalogue FILE] [--processes 2] [--seconds 30]

needs `pip install 'ray[serve]'`. Both answer with as many processes, to the same questions: one person who turns a
knob as fast as it is answered, then twenty who each turn one every half second, then twenty who do not wait.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import numpy as np
import page
import synthetic_tracks
from table import head, row


class RayServe(page.Server):
    """The same application in replicas of Ray Serve, with all processes of Ray that it takes."""

    command = (sys.executable, __file__, "--with-ray")


def serve_with_ray(catalogue: str | None, processes: int) -> None:
    """Serve until ended."""
    import socket

    import ray
    from ray import serve

    from disco.app.server import Options, create

    def app() -> object:
        return create(Options((catalogue,) if catalogue else ()))

    class Page:
        """Answered by the application alone."""

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ray.init(num_cpus=processes + 1, include_dashboard=False, log_to_driver=False, object_store_memory=10**8)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    deployed = serve.deployment(num_replicas=processes, max_ongoing_requests=100)(serve.ingress(app)(Page))
    serve.run(deployed.bind(), route_prefix="/")
    print(f"DISCO is at http://127.0.0.1:{port}/", flush=True)
    while True:
        time.sleep(1)


def main() -> None:
    """Print the table."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--catalogue", metavar="FILE", help="your own tracks, or the built-in ones: demo")
    p.add_argument("--tracks", type=int, default=100_000, metavar="N", help="or so many made-up ones (100000)")
    p.add_argument("--processes", type=int, default=2, metavar="N", help="processes that answer (2)")
    p.add_argument("--seconds", type=float, default=30, metavar="S", help="how long twenty people turn knobs (30)")
    p.add_argument("--with-ray", action="store_true", help="serve with Ray, which this starts by itself")
    arguments = p.parse_args()
    if arguments.with_ray:
        serve_with_ray(arguments.catalogue, arguments.processes)
        return
    catalogue = arguments.catalogue or str(synthetic_tracks.file(arguments.tracks))
    head(
        f"{arguments.processes} processes, load {os.getloadavg()[0]:.0f}",
        *("", "start, s", "of processor", "a knob, ms", "95 %, ms", "processor, ms each"),
        *("20 people, ms", "95 %, ms", "errors", "a second at most", "memory, MB"),
    )
    for name, kind, more in (
        ("`disco app`", page.Server, ["--workers", str(arguments.processes)]),
        ("Ray Serve", RayServe, ["--processes", str(arguments.processes)]),
    ):
        with page.serving(catalogue, more, kind) as server:
            server.wait_for(arguments.processes)
            rng, (ids, _) = np.random.default_rng(0), page.some_ids(server)
            seeds = [[str(each) for each in rng.choice(ids, 3, replace=False)] for _ in range(page.PEOPLE)]
            page.crowd(server, seeds, 3)  # what a process loads with its first playlists
            alone, cost = page.timed(server, [("play", {"state": page.a_state(rng, seeds[0])}) for _ in range(100)])
            many, errors, _ = page.crowd(server, seeds, arguments.seconds)
            most, wrong, _ = page.crowd(server, seeds, arguments.seconds / 2, pause=0)
            row(
                *(name, f"{server.start_seconds:.1f}", f"{server.start_processor_seconds:.1f}"),
                *(*page.quantiles(alone), f"{cost:.0f}"),
                *(*page.quantiles(many), errors + wrong, f"{2 * len(most) / arguments.seconds:.1f}"),
                f"{server.megabytes:.0f}",
            )


if __name__ == "__main__":
    main()
