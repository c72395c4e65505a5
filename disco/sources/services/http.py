"""One question to a service on the network: no redirect followed, its wish to be left alone remembered, answers kept.

Nothing is waited for longer than a breath: a service that wants more is told of in one sentence, and is not asked
again before its time, by no later run either.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from disco.catalogue.text import printable
from disco.errors import DiscoError
from disco.sources import storage

# Waited for without a word; what a service wants beyond is told.
MAX_SILENT_WAIT_S = 2.0
TRIES = 3
TIMEOUT_S = 20.0
# The longest wish to be left alone that is believed: a header is a stranger's text.
MAX_RETRY_AFTER_S = 24 * 3600
# Answers are kept so long, and so many; similar recordings are reckoned anew now and then.
MAX_AGE_S = 14 * 24 * 3600
MAX_ANSWERS = 2000
# Nothing that these services say is longer; beyond it is no answer.
MAX_BYTES = 20_000_000
# Who asks, as these services wish to know; without a version, which they have no use for.
USER_AGENT = "disco-playlists (puts playlists in order)"


class Refused(DiscoError):
    """The service has heard the question and does not answer it; `status` is HTTP's."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status


class RateLimited(Refused):
    """The service wants no question before a time."""


class UnknownOutcome(DiscoError):
    """No answer came, or none that can be read: nobody knows whether the question was heard."""


@dataclass(frozen=True)
class Service:
    """Whom we ask.

    Attributes
    ----------
    name : str
        What a person calls it.
    url : str
        Its address, without a slash at the end.
    pause_s : float
        Between two questions of one run.
    plain : bool
        Whether it may be asked over http, too; a server at home often has no more.
    """

    name: str
    url: str
    pause_s: float = 0.0
    plain: bool = False


def service(name: str, variable: str, usual: str, pause_s: float = 0.0) -> Service:
    """A service at its usual address, or at that of an environment variable.

    Raises
    ------
    DiscoError
        If the variable's address is not https, and not of this machine.
    """
    url = os.environ.get(variable, usual).rstrip("/")
    if not is_allowed_url(url):
        raise DiscoError(f"{printable(url)}: {name} is asked over https alone; change {variable}")
    return Service(name, url, pause_s)


# When each service was asked last by this run.
_asked: dict[str, float] = {}


def ask(
    whom: Service,
    path: str,
    query: Sequence[tuple[str, str]] = (),
    *,
    form: Sequence[tuple[str, str]] | None = None,
    rows: Sequence[dict[str, str]] | None = None,
    kept: bool = True,
    tries: int = TRIES,
) -> Any:
    """The JSON that a service answers to a GET, or to a POST of a form or of rows in JSON.

    Parameters
    ----------
    kept : bool
        Whether an answer of the last two weeks will do, and this one is kept.
    tries : int
        How often it is asked where no answer comes; 1 for what must not be done twice.

    Raises
    ------
    Later, Refused, Unclear
        One sentence that begins with the service's name.
    """
    url = f"{whom.url}/{path}" + (f"?{_encoded(query)}" if query else "")
    body, kind = None, ""
    if form is not None:
        body, kind = _encoded(form).encode(), "application/x-www-form-urlencoded"
    elif rows is not None:
        body, kind = json.dumps(list(rows)).encode(), "application/json"
    question = f"{url} {body.decode() if body else ''}"
    if kept and (said := _kept(question)) is not None:
        return said
    unheard = put_off = 0
    while True:
        _patient(whom)
        try:
            said = _answer(whom, url, body, kind)
        except RateLimited:  # not done, so that anything may be asked again once `_patient` has waited
            put_off += 1
            if put_off == TRIES or _left(whom.url) > MAX_SILENT_WAIT_S:
                raise
            continue
        except UnknownOutcome:
            unheard += 1
            if unheard >= tries:
                raise
            time.sleep(min(0.5 * unheard, MAX_SILENT_WAIT_S))
            continue
        if kept:
            _keep(question, said)
        return said


def _encoded(pairs: Sequence[tuple[str, str]]) -> str:
    return urlencode(pairs, errors="replace")


def is_allowed_url(url: str, plain: bool = False) -> bool:
    """Whether an address is https, of this machine, or (`plain`) http."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or (parts.scheme == "http" and (plain or parts.hostname == "127.0.0.1"))
    except ValueError:
        return False


def _patient(whom: Service) -> None:
    """Wait the breath that a service wants, or say that it wants more."""
    left = _left(whom.url)
    if left > MAX_SILENT_WAIT_S:
        raise RateLimited(f"{whom.name} wants no question for another {_span(left)}; try again then", 429)
    pause = _asked.get(whom.url, 0.0) + whom.pause_s - time.monotonic()
    if (wait := max(left, min(pause, MAX_SILENT_WAIT_S))) > 0:
        time.sleep(wait)
    _asked[whom.url] = time.monotonic()


def _answer(whom: Service, url: str, body: bytes | None, kind: str) -> Any:
    """What comes back of one question, sent once."""
    import http.client
    import urllib.error
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None  # elsewhere nobody asked for it to go

    if not is_allowed_url(url, whom.plain):
        raise DiscoError(f"{whom.name}: {printable(whom.url)} is no address that begins with https://")
    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **({"Content-Type": kind} if kind else {})}
    near = [urllib.request.ProxyHandler({})] if urlsplit(url).hostname == "127.0.0.1" else []
    try:
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - `safe` has looked
        with urllib.request.build_opener(Stay, *near).open(request, timeout=TIMEOUT_S) as answer:
            told, status, said = answer.headers, int(answer.status), answer.read(MAX_BYTES)
    except urllib.error.HTTPError as error:
        told, status, said = error.headers, error.code, b""
        error.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = printable(str(getattr(error, "reason", "") or error)) or type(error).__name__
        raise UnknownOutcome(
            f"{whom.name} cannot be reached ({why}); see whether there is a network, or try later"
        ) from None
    # A window that is used up is respected before it is overrun, where the service says so.
    wait = told.get("Retry-After") or told.get("X-RateLimit-Reset-In") or ""
    seconds = min(float(wait), MAX_RETRY_AFTER_S) if wait.isascii() and wait.isdecimal() else 60.0
    if status == 429 or (status == 503 and told.get("Retry-After")):
        _wait(whom.url, seconds)
        raise RateLimited(f"{whom.name} wants no question for {_span(seconds)}; try again then", status)
    if told.get("X-RateLimit-Remaining") == "0" and wait:
        _wait(whom.url, seconds)
    if status >= 500:
        raise UnknownOutcome(f"{whom.name} has a fault of its own ({status}); try again later")
    if status != 200:
        raise Refused(f"{whom.name} refuses ({status})", status)
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        raise UnknownOutcome(f"{whom.name}: its answer cannot be read; try again later") from None


def _span(seconds: float) -> str:
    """A time in words."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.0f} hours"


@contextlib.contextmanager
def _store() -> Iterator[sqlite3.Connection]:
    """What is remembered, in a file for its owner alone: a seed says what somebody hears."""
    path = storage.user_data_dir() / "answers.sqlite"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    store = sqlite3.connect(path, timeout=1.0)
    try:
        with store:
            store.execute("CREATE TABLE IF NOT EXISTS answers (question TEXT PRIMARY KEY, at REAL, said TEXT)")
            store.execute("CREATE TABLE IF NOT EXISTS later (service TEXT PRIMARY KEY, at REAL, until REAL)")
            yield store
    finally:
        store.close()


# Without a disk to remember on, or with a damaged file, all is asked anew: that is no reason to stop.
_FORGETFUL = (OSError, sqlite3.Error, ValueError)
# The same for this run, should the file not be there for the next.
_until: dict[str, float] = {}


def _left(url: str) -> float:
    """Seconds for which a service wants to be left alone; 0 if it does not."""
    now = time.time()
    until = _until.get(url, 0.0)
    with contextlib.suppress(*_FORGETFUL), _store() as store:
        row = store.execute("SELECT at, until FROM later WHERE service = ?", (url,)).fetchone()
        if row and row[0] <= now:  # or else the clock was set back since, and says nothing
            until = max(until, float(row[1]))
    left = until - now
    return left if 0 < left <= MAX_RETRY_AFTER_S else 0.0


def _wait(url: str, seconds: float) -> None:
    now = time.time()
    _until[url] = now + seconds
    with contextlib.suppress(*_FORGETFUL), _store() as store:
        store.execute("INSERT OR REPLACE INTO later VALUES (?, ?, ?)", (url, now, now + seconds))


def _kept(question: str) -> Any:
    now = time.time()
    with contextlib.suppress(*_FORGETFUL), _store() as store:
        row = store.execute("SELECT at, said FROM answers WHERE question = ?", (question,)).fetchone()
        if row and now - MAX_AGE_S < row[0] <= now:
            return json.loads(row[1])
    return None


def _keep(question: str, said: Any) -> None:
    now = time.time()
    with contextlib.suppress(*_FORGETFUL), _store() as store:
        store.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (question, now, json.dumps(said)))
        store.execute("DELETE FROM answers WHERE at < ? OR at > ?", (now - MAX_AGE_S, now))
        newest = "SELECT question FROM answers ORDER BY at DESC LIMIT ?"
        store.execute(f"DELETE FROM answers WHERE question NOT IN ({newest})", (MAX_ANSWERS,))  # noqa: S608 - our own text
