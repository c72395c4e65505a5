"""The page as its users meet it: a server of its own on a free port, and Debian's Chromium to look at it."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = os.environ.get("BROWSER_PATH") or shutil.which("chromium") or shutil.which("google-chrome") or ""


@contextmanager
def serving(catalogue: tuple[str, ...] = (), port: int = 0, **options: Any) -> Iterator[str]:
    """The address of a page that is served while the block lasts, on a free port unless one is given."""
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("dash_mantine_components")
    from disco.app.server import Options, create

    app = create(Options(catalogue, **options))
    # The worker's other tests change the folders of the user while this server lives: it must have read by then.
    assert app.state.reading.wait(60)
    config = uvicorn.Config(app, port=port, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def browsing() -> Iterator[Any]:
    """Chromium, driven by Playwright; a test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("there is no Chromium; set BROWSER_PATH")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


class Page:
    """A page that is open in a browser, in the words of its users; remembers what should not happen."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        self.address = address
        self.context = browser.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", **context}
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        self.tab = self.context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.tab.on("console", lambda message: self._logged(message.type, message.text))
        self.tab.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))

    def _logged(self, kind: str, text: str) -> None:
        if kind == "error":
            self.wrong.append(text)

    def open(self, fragment: str = "") -> Page:
        """Open the page and wait for its list."""
        self.tab.goto(f"{self.address}/{fragment}")
        self.tab.wait_for_selector("#tracks li.track")
        self.settled()
        return self

    def settled(self) -> None:
        """Wait until nothing is asked for any more."""
        self.until("Boolean(document.querySelector('#playlist:not(.asking)')) && !window.disco.server.busy()")

    def until(self, condition: str) -> None:
        """Wait for a condition; Playwright's own wait uses `eval`, which the page's policy forbids."""
        for _ in range(1500):
            if self.tab.evaluate(condition):
                return
            self.tab.wait_for_timeout(20)
        raise AssertionError(f"never: {condition}")

    @property
    def ids(self) -> list[str]:
        """Ids of the tracks in the list, first to last."""
        return self.tab.eval_on_selector_all("#tracks li.track", "rows => rows.map(row => row.dataset.id)")

    def row(self, position: int) -> Any:
        """The row at a position, from 1, pointed at."""
        row = self.tab.locator("#tracks li.track").nth(position - 1)
        row.hover()
        return row

    def press(self, position: int, name: str) -> None:
        """Press a button of a row."""
        self.row(position).get_by_role("button", name=name).click()
        self.settled()

    def turn(self, knob: str, times: int = 10, key: str = "ArrowRight") -> None:
        """Turn a knob with the arrow keys."""
        self.tab.locator(f"#{knob} [role=slider]").focus()
        for _ in range(times):
            self.tab.keyboard.press(key)
        self.settled()
