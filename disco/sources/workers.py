"""Processes that work for this one: they end with it, however it ends, and leave interrupts to it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process


def worker_pool(n: int, quiet: bool = False) -> ProcessPoolExecutor:
    """A pool of n processes.

    They are spawned: forked ones would inherit the locks of Arrow and of decoders without the threads that hold them.

    Parameters
    ----------
    n : int
    quiet : bool
        Nothing that is written to stderr there is shown: decoders written in C talk.
    """
    pool = ProcessPoolExecutor(n, get_context("spawn"), initializer=_begin, initargs=(quiet,))
    with _uninterrupted():
        pool.submit(os.getpid)  # starts all of them
    return pool


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let processes that start here ignore interrupts from their first moment on, before they could say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(quiet: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if quiet:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    parent = parent_process()

    def end() -> None:
        if parent:
            parent.join()
            os._exit(1)

    # A pool does not notice that its parent was killed.
    threading.Thread(target=end, daemon=True).start()
