"""A server on 127.0.0.1 that logs what it is asked, keeps a clock of its own and fails where a test wants it to."""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import http.server
import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from helpers.fake import in_process

START_S = 1_795_348_800.0  # 2026-11-22 12:00 UTC, the day the research of the services was made
# What may go wrong, and what each means; see `Server.fault`.
FAULTS = {
    "drop": "the connection ends without an answer",
    "cut": "the connection ends in the middle of the answer",
    "slow": "the answer comes after `seconds`",
    "error": "the answer is `status`, in JSON",
    "limit": "429 with `Retry-After: seconds`",
    "quota": "429 with `Retry-After: seconds` and the reason QUOTA_EXCEEDED",
    "garble": "200 with a body of `form` (see FORMS)",
    "run": "`run` is called, then all goes on",
}
# Bodies that are no answer, each as bytes made from the right ones.
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda body: body[: len(body) // 2],
    "html": lambda body: b"<!doctype html><title>Bad Gateway</title><h1>502</h1>",
    "empty": lambda body: b"",
    "bytes": lambda body: b"\xff\xfe\x00" + body[3:],
    "null": lambda body: b"null",
    "list": lambda body: b"[1, 2]",
    "hollow": lambda body: b"{}",
    "deep": lambda body: b"[" * 100_000,
    "types": lambda body: re.sub(rb'"(items|tracks|total|id|name)": ?', rb'"\1": [],"x\1": ', body),
}


@dataclass
class Clock:
    """Unix time in seconds: what really passed, and what a test lets pass with `advance`."""

    start: float = START_S
    skipped: float = 0.0
    born: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        return self.start + self.skipped + time.monotonic() - self.born

    def advance(self, seconds: float) -> None:
        """Let time pass at once; stands in for `time.sleep` in a client under test."""
        self.skipped += seconds


@dataclass
class Request:
    """One request as it came, and (later) what it was answered."""

    method: str
    path: str
    query: dict[str, str]  # of a name that is given more than once the last value; `all` has the others
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float
    number: int
    status: int | None = None  # None: no answer was sent
    answer: bytes = b""
    kind: str = ""  # content type of the answer
    faults: tuple[str, ...] = ()
    refused: str = ""  # why it could never have succeeded, where the client could have known after the first time
    pairs: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        """What was asked for, in one line."""
        return f"{self.method} {self.path}{'?' if self.pairs else ''}{urlencode(self.pairs)}"

    def all(self, name: str) -> list[str]:
        """All values of a name in the query."""
        return [value for key, value in self.pairs if key == name]

    @property
    def auth(self) -> str:
        return self.headers.get("authorization", "")

    @property
    def json(self) -> Any:
        """The body as JSON, None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def json_answer(self) -> Any:
        return json.loads(self.answer)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass
class Answer:
    """What goes back: JSON (anything but bytes and None), text (bytes), or nothing."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json; charset=utf-8"

    def bytes(self) -> bytes:
        if self.body is None:
            return b""
        # ASCII only: what is hostile in names must survive a reader that is careless of encodings.
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Fault:
    """Something that goes wrong at chosen requests."""

    do: str
    at: int = 1
    times: int | None = 1
    every: int = 1
    method: str | None = None
    path: str | None = None
    after: bool = False
    status: int = 502
    seconds: float = 1.0
    form: str = "half"
    run: Callable[[], object] | None = None
    seen: int = 0

    def hits(self, request: Request) -> bool:
        """Count the request if it is meant at all, and say if its turn has come."""
        if self.method not in (None, request.method) or not re.search(self.path or "", request.path):
            return False
        self.seen += 1
        turn, rest = divmod(self.seen - self.at, self.every)
        return self.seen >= self.at and rest == 0 and (self.times is None or turn < self.times)


class Server:
    """A loopback server; the children answer requests in `respond`.

    Attributes
    ----------
    url : str
        Where it listens, without a slash at the end.
    log : list of Request
        All requests in their order, answered or not.
    clock : Clock
        The server's time.
    """

    etags = False
    sockets = False  # whether requests come over a socket, see `listen`

    def __init__(self, clock: Clock | None = None) -> None:
        self.log: list[Request] = []
        self.clock = clock or Clock()
        self._faults: list[Fault] = []
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.fake = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def respond(self, request: Request) -> Answer:
        raise NotImplementedError

    def refuse(self, seconds: float, quota: bool) -> Answer:
        """The answer 429; the children say it in their service's words."""
        return Answer(429, {"error": "too many requests"}, {"Retry-After": str(round(seconds))})

    def complain(self, status: int, message: str) -> Answer:
        """An error in the words of the service."""
        return Answer(status, {"error": {"status": status, "message": message}})

    def listen(self) -> Self:
        """Answer on a real socket, for tests of connections and of other processes; otherwise see `in_process`."""
        self.sockets = True
        return self

    def __enter__(self) -> Self:
        if not self.sockets:
            in_process.add(self)
            return self
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        if not self.sockets:
            in_process.remove(self)
            self._http.server_close()
            return
        self._http.shutdown()
        self._http.server_close()
        for one in list(self._sockets):  # else a connection that is kept alive would go on being served
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def fault(
        self,
        do: str,
        *,
        at: int = 1,
        times: int | None = 1,
        every: int = 1,
        method: str | None = None,
        path: str | None = None,
        after: bool = False,
        status: int = 502,
        seconds: float = 1.0,
        form: str = "half",
        run: Callable[[], object] | None = None,
    ) -> Fault:
        """Let something go wrong from now on.

        Parameters
        ----------
        do : str
            One of FAULTS.
        at, every, times : int
            The first request it meets (1 is the next), then each `every`-th, `times` in all (None: for ever). Only
            requests of this `method` whose path holds the regular expression `path` are counted.
        after : bool
            The request takes effect first, so that a client which repeats it does it twice.
        status, seconds, form, run
            See FAULTS.
        """
        if do not in FAULTS or form not in FORMS:
            raise ValueError(f"no such fault: {do}, {form}")
        with self._lock:
            self._faults.append(Fault(do, at, times, every, method, path, after, status, seconds, form, run))
            return self._faults[-1]

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._faults.clear()

    def calls(self, path: str = "", method: str | None = None) -> list[Request]:
        """Requests so far whose path holds a regular expression."""
        return [r for r in self.log if re.search(path, r.path) and method in (None, r.method)]

    def twice(self) -> dict[str, int]:
        """What was fetched with success more than once, and how often."""
        fetched = Counter(r.target for r in self.log if r.method == "GET" and r.status == 200)
        return {target: n for target, n in fetched.items() if n > 1}

    def wasted(self) -> list[Request]:
        """Calls that an earlier answer had ruled out: shut out, not for this app, not for this user."""
        first = {r.refused: r.number for r in reversed(self.log)}
        return [r for r in self.log if r.refused and r.number > first[r.refused]]

    def exchange(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[Request, Answer | None, bytes, str]:
        """Answer one request: as it was logged, the answer (None: none comes), its body, and "cut" or nothing."""
        where = urlsplit(target)
        pairs = tuple(parse_qsl(where.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in headers.items()}
        request = Request(method, where.path, dict(pairs), headers, body, 0.0, 0, pairs=pairs)
        answer, ending = self._take(request)
        if answer is None or self._closing.is_set():
            return request, None, b"", ""
        sent = answer.bytes()
        if self.etags and method == "GET" and answer.status == 200:
            answer.headers["ETag"] = f'"{hashlib.sha256(sent).hexdigest()[:32]}"'
            if headers.get("if-none-match") == answer.headers["ETag"]:
                answer.status, sent = 304, b""
        request.status, request.answer, request.kind = answer.status, sent, answer.kind
        if ending == "cut":
            request.status = None
        return request, answer, sent, ending

    def date(self) -> str:
        """The header `Date` by the server's clock."""
        return email.utils.formatdate(self.clock.now(), usegmt=True)

    def _take(self, request: Request) -> tuple[Answer | None, str]:
        """Answer a request; None ends the connection, "cut" ends it in the middle of the answer."""
        with self._lock:
            request.number = len(self.log) + 1
            request.at = self.clock.now()
            self.log.append(request)
            now = [fault for fault in self._faults if fault.hits(request)]
        request.faults = tuple(fault.do for fault in now)
        first = [fault for fault in now if not fault.after]
        if (stopped := self._suffer(first, None)) is not None:
            return stopped
        with self._lock:
            answer = self.respond(request)
        late = [fault for fault in now if fault.after or fault.do in ("garble", "cut")]
        return self._suffer(late, answer) or (answer, "")

    def _suffer(self, faults: list[Fault], answer: Answer | None) -> tuple[Answer | None, str] | None:
        for fault in faults:
            if fault.do == "run" and fault.run:
                fault.run()
            elif fault.do == "slow" and not self.sockets:
                in_process.wait(fault.seconds)
            elif fault.do == "slow":
                self._closing.wait(fault.seconds)
            elif fault.do == "drop":
                return None, ""
            elif fault.do == "error":
                return self.complain(fault.status, "Something went wrong"), ""
            elif fault.do in ("limit", "quota"):
                return self.refuse(fault.seconds, fault.do == "quota"), ""
            elif fault.do == "cut" and answer is not None:
                return answer, "cut"
            elif fault.do == "garble" and answer is not None:
                return Answer(answer.status, FORMS[fault.form](answer.bytes()), kind=answer.kind), ""
        return None


class _Http(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64  # more callers than this at once would wait a second, or be turned away
    fake: Server

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the tests; anything else is a fault of the fake and must be seen."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http
    disable_nagle_algorithm = True  # else each small answer on a kept connection waits 40 ms
    timeout = 60

    def setup(self) -> None:
        super().setup()
        self.server.fake._sockets.add(self.connection)

    def finish(self) -> None:
        self.server.fake._sockets.discard(self.connection)
        super().finish()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server.fake.date() if timestamp is None else email.utils.formatdate(timestamp, usegmt=True)

    def log_message(self, *_: object) -> None:
        """Say nothing; `Server.log` has it."""

    def _serve(self) -> None:
        fake = self.server.fake
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, answer, sent, ending = fake.exchange(self.command, self.path, dict(self.headers.items()), body)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if sent:
            self.send_header("Content-Type", answer.kind)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        if ending == "cut":
            self.close_connection = True
            sent = sent[: len(sent) // 2]
        self.wfile.write(sent)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server asks for these names
