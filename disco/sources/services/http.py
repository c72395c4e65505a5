"""The one HTTP client: no redirects, one policy for retries and rate limits, and cached answers.

Waits up to a service's `max_wait_s` are slept through; longer ones raise `RateLimited` and are stored, so that no
later run asks too early either. A request that may have changed something is never repeated blindly.
"""

from __future__ import annotations

import email.utils
import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from disco.catalogue.text import printable
from disco.errors import DiscoError
from disco.sources.services import answers

if TYPE_CHECKING:
    import requests

    AnySession = TypeVar("AnySession", bound=requests.Session)

log = logging.getLogger(__name__)
T = TypeVar("T")
# Waits up to this are not even logged.
MAX_SILENT_WAIT_S = 2.0
# How often a read that fails is sent in all, and how many waits one request accepts.
TRIES, MAX_WAITS = 3, 5
TIMEOUT_S: float | tuple[float, float] = (10.0, 30.0)  # to connect, between two parts of the answer
# The longest `Retry-After` that is believed, and the one assumed where a 429 names none.
MAX_RETRY_AFTER_S, DEFAULT_RETRY_AFTER_S = 7 * 24 * 3600.0, 30.0
# No answer of these services is longer.
MAX_BYTES = 20_000_000
# Services ask clients to name themselves; the version would only add to what they can store.
USER_AGENT = "disco-playlists (puts playlists in order)"


class ServiceError(DiscoError):
    """A request to a service failed; the sentence begins with the service's name."""


class Refused(ServiceError):
    """The service answered, and refused; `status` is HTTP's."""

    def __init__(self, what: str, status: int = 0) -> None:
        super().__init__(what)
        self.status = status


class RateLimited(Refused):
    """The service accepts no request now; after `wait_s` seconds it may be asked again (None: not in this run)."""

    def __init__(self, what: str, status: int = 429, wait_s: float | None = None) -> None:
        super().__init__(what, status)
        self.wait_s = wait_s


class UnknownOutcome(ServiceError):
    """No answer came, or none that can be read, so it is unknown whether the request was carried out."""


@dataclass(frozen=True)
class Service:
    """A service and how it may be asked.

    Attributes
    ----------
    name : str
        As messages call it.
    url : str
        Its address, without a slash at the end.
    pause_s : float
        Shortest time between two requests of one run.
    allow_http : bool
        Whether unencrypted HTTP is accepted; a server at home often has no certificate.
    max_wait_s : float
        The longest `Retry-After` that is waited for; a longer one raises `RateLimited`.
    """

    name: str
    url: str
    pause_s: float = 0.0
    allow_http: bool = False
    max_wait_s: float = MAX_SILENT_WAIT_S


def service(name: str, variable: str, default: str, pause_s: float = 0.0, **options: Any) -> Service:
    """Return a service at the address of an environment variable, or at its usual one.

    Parameters
    ----------
    name, pause_s
        As for `Service`; further options are passed to it.
    variable : str
        Name of the environment variable.
    default : str
        The usual address.

    Raises
    ------
    DiscoError
        If the address is neither https nor on this machine.

    Examples
    --------
    >>> service("MusicBrainz", "DISCO_UNSET", "https://musicbrainz.org/").url
    'https://musicbrainz.org'
    """
    url = os.environ.get(variable, default).rstrip("/")
    if not is_allowed_url(url):
        raise DiscoError(f"{printable(url)}: {name} is asked over https alone; change {variable}")
    return Service(name, url, pause_s, **options)


def is_allowed_url(url: str, allow_http: bool = False) -> bool:
    """Whether an address is https, on this machine, or (`allow_http`) http.

    Examples
    --------
    >>> is_allowed_url("https://example.org"), is_allowed_url("http://example.org")
    (True, False)
    """
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" or (parts.scheme == "http" and (allow_http or parts.hostname == "127.0.0.1"))
    except ValueError:
        return False


def repeat(attempt: Callable[[], T], is_transient: Callable[[DiscoError], bool], max_wait_s: float) -> T:
    """Call `attempt` until it returns: after transient errors `TRIES` times in all, and after short waits.

    Parameters
    ----------
    attempt : callable
        Sends one request, and raises a `DiscoError` if it fails.
    is_transient : callable
        Whether the same request may be sent again after an error.
    max_wait_s : float
        The longest wait; a `RateLimited` that asks for more is raised at once.

    Examples
    --------
    >>> answers = iter(["", "", "good"])
    >>> def attempt():
    ...     answer = next(answers)
    ...     if not answer:
    ...         raise RateLimited("busy", wait_s=0)
    ...     return answer
    >>> repeat(attempt, lambda error: False, 2.0)
    'good'
    """
    failed = waited = 0
    while True:
        try:
            return attempt()
        except RateLimited as limit:
            waited += 1
            if limit.wait_s is None or limit.wait_s > max_wait_s or waited > MAX_WAITS:
                raise
            if limit.wait_s > MAX_SILENT_WAIT_S:
                log.info("%s", f"{str(limit).split(maxsplit=1)[0].rstrip(':')} asks to wait {limit.wait_s:.0f} s")
            time.sleep(limit.wait_s)
        except DiscoError as error:
            failed += 1
            if failed >= TRIES or not is_transient(error):
                raise
            time.sleep(failed)


def without_retries(session: AnySession) -> AnySession:
    """The same session, sending each request once and no login of a `.netrc` file.

    Repetitions by the library below lose the answer's headers. A `.netrc` would take the place of a token, and its
    `default` entry sends its password to everybody; proxies of the environment are used.
    """
    from requests.adapters import HTTPAdapter

    session.auth = _no_auth
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=0))
    return session


def is_unsent(error: Exception) -> bool:
    """Whether a request did not leave this machine, so that it cannot have changed anything."""
    from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

    reason = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds in a `Retry-After` (a number or a date) or `X-RateLimit-Reset-In` header, from 1 s to a week.

    Examples
    --------
    >>> retry_after({"Retry-After": "7"}), retry_after({})
    (7.0, 30.0)
    """
    text = (headers.get("Retry-After") or headers.get("X-RateLimit-Reset-In") or "").strip()
    if text.isascii() and text.isdecimal():
        seconds = float(text)
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError):
            seconds = DEFAULT_RETRY_AFTER_S
    return min(max(seconds, 1.0), MAX_RETRY_AFTER_S)


# When each service was asked last by this run.
_last_asked: dict[str, float] = {}


def ask(
    service: Service,
    path: str,
    query: Sequence[tuple[str, str]] = (),
    *,
    form: Sequence[tuple[str, str]] | None = None,
    rows: Sequence[dict[str, str]] | None = None,
    cached: bool = True,
    repeatable: bool = True,
) -> Any:
    """Send a GET, or a POST of a form or of rows in JSON, and return the JSON of the answer.

    Parameters
    ----------
    service : Service
    path : str
        Below the service's address.
    query, form : sequence of (str, str)
    rows : sequence of dict
    cached : bool
        Whether an answer of the last two weeks is used, and this one is stored.
    repeatable : bool
        Whether the request may be sent again when no answer came; False for what must not be done twice.

    Raises
    ------
    RateLimited, Refused, UnknownOutcome
        One sentence that begins with the service's name.
    """
    url = f"{service.url}/{path}" + (f"?{_encoded(query)}" if query else "")
    body, kind = None, ""
    if form is not None:
        body, kind = _encoded(form).encode(), "application/x-www-form-urlencoded"
    elif rows is not None:
        body, kind = json.dumps(list(rows)).encode(), "application/json"
    question = f"{url} {body.decode() if body else ''}"
    if cached and (stored := answers.find(question)) is not None:
        return stored
    if not is_allowed_url(url, service.allow_http):
        raise DiscoError(f"{service.name}: {printable(service.url)} is no address that begins with https://")

    def attempt() -> Any:
        _wait_turn(service)
        return _send(service, url, body, kind)

    def is_transient(error: DiscoError) -> bool:
        return repeatable and isinstance(error, UnknownOutcome)

    answer = repeat(attempt, is_transient, service.max_wait_s)
    if cached:
        answers.add(question, answer)
    return answer


def _encoded(pairs: Sequence[tuple[str, str]]) -> str:
    return urlencode(pairs, errors="replace")


def _wait_turn(service: Service) -> None:
    """Wait for the pause between two requests, and refuse one while the service accepts none."""
    if (left := answers.blocked_for(service.url)) > 0:
        what = f"{service.name} accepts no request for another {_span(left)}; try again then"
        raise RateLimited(what, wait_s=left)
    pause = _last_asked.get(service.url, 0.0) + service.pause_s - time.monotonic()
    if pause > 0:
        time.sleep(min(pause, MAX_SILENT_WAIT_S))
    _last_asked[service.url] = time.monotonic()


def _send(service: Service, url: str, body: bytes | None, kind: str) -> Any:
    """The JSON of the answer to one request, sent once."""
    import requests

    headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **({"Content-Type": kind} if kind else {})}
    try:
        with without_retries(requests.Session()) as session:
            session.trust_env = urlsplit(url).hostname != "127.0.0.1"  # no proxy reaches this machine
            response = session.request(
                "GET" if body is None else "POST",
                url,
                data=body,
                headers=headers,
                timeout=TIMEOUT_S,
                allow_redirects=False,
                stream=True,
            )
            content = _read(response)
    except (requests.RequestException, ValueError) as error:
        why = printable(_reason(error)) or type(error).__name__
        raise UnknownOutcome(
            f"{service.name} cannot be reached ({why}); check the network connection, or try later"
        ) from None
    status = response.status_code
    if status == 429 or (status == 503 and response.headers.get("Retry-After")):
        seconds = retry_after(response.headers)
        answers.block(service.url, seconds)
        raise RateLimited(f"{service.name} accepts no request for {_span(seconds)}; try again then", status, seconds)
    # A window that is used up is respected before it is overrun, where the service announces it.
    if response.headers.get("X-RateLimit-Remaining") == "0" and response.headers.get("X-RateLimit-Reset-In"):
        answers.block(service.url, retry_after(response.headers))
    if status >= 500:
        raise UnknownOutcome(f"{service.name} has an internal error ({status}); try again later")
    if status != 200:
        raise Refused(f"{service.name} refuses ({status})", status)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise UnknownOutcome(f"{service.name}: its answer cannot be read; try again later") from None


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no login from a `.netrc` file."""
    return request


def _read(response: requests.Response) -> bytes:
    """The body, cut off where it is longer than any good answer."""
    content = b""
    for part in response.iter_content(1 << 16):
        content += part
        if len(content) > MAX_BYTES:
            break
    return content


def _reason(error: Exception) -> str:
    """Why a connection failed, in the operating system's words, without the objects in which they are wrapped."""
    inner: Any = error.args[0] if error.args else error
    reason = getattr(inner, "reason", inner)
    first = reason.args[0] if isinstance(reason, Exception) and reason.args else reason
    return str(first if isinstance(first, str) else reason).rpartition(": ")[2].rstrip(".")


def _span(seconds: float) -> str:
    """A duration in words."""
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.0f} hours"
