"""Processes that work at once, and processes that are killed, forked from the test: they start in milliseconds."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable

import pytest

KILLED = 77
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def at_once(n: int, work: Callable[[int], object]) -> list[int]:
    """Let n processes do a piece of work at the same time; gives their exit codes, 1 after an exception."""
    ready, go = os.pipe()
    children = []
    for number in range(n):
        child = os.fork()
        if not child:
            code = 1
            try:
                os.close(go)
                os.read(ready, 1)  # until the parent closes its end
                work(number)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    os.close(ready)
    os.close(go)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def killed_at(step: int, steps: list[tuple[object, str]], work: Callable[[], object]) -> bool:
    """Do a piece of work in a process that ends without any cleaning up before its nth call of these functions.

    Parameters
    ----------
    step : int
        From 0.
    steps : list of (object, name)
        The functions, as attributes.
    work : callable

    Returns
    -------
    bool
        Whether it was killed; False if it was done before.
    """
    child = os.fork()
    if not child:
        left = [step]

        def deadly(true: Callable[..., object]) -> Callable[..., object]:
            def call(*arguments: object, **more: object) -> object:
                if not left[0]:
                    os._exit(KILLED)
                left[0] -= 1
                return true(*arguments, **more)

            return call

        code = 1
        try:
            for owner, name in steps:
                setattr(owner, name, deadly(getattr(owner, name)))
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED
