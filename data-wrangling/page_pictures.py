"""Pictures of the page for README and docs, made from the page itself: page_pictures.py [FOLDER].

Needs Chromium (`BROWSER_PATH`, or `chromium` on the path) and the extras `[app,dev]`. Without a folder only the
picture of the documents is made; with one, every width in light and dark, to look at.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from disco.app.server import create

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTHS = {1440: 900, 1024: 800, 390: 844}


def picture(browser: Browser, address: str, file: Path, width: int, scheme: Any, whole: bool = True) -> None:
    """Open the page at a width and keep what it looks like."""
    tab = browser.new_page(
        viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme, device_scale_factor=1
    )
    tab.emulate_media(reduced_motion="reduce")
    tab.goto(address)
    tab.wait_for_selector("#tracks li.track")
    tab.wait_for_selector("#figure .scatterlayer .trace")
    tab.wait_for_timeout(800)
    tab.screenshot(path=file, full_page=whole)
    tab.close()


def main() -> None:
    """Serve the demo, open it, and take the pictures."""
    server = uvicorn.Server(uvicorn.Config(create(), port=0, log_level="warning"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    chromium = os.environ.get("BROWSER_PATH") or shutil.which("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        if len(sys.argv) > 1:
            for width in WIDTHS:
                for scheme in ("light", "dark"):
                    picture(browser, address, Path(sys.argv[1], f"page-{width}-{scheme}.png"), width, scheme)
        else:
            picture(browser, address, IMAGES / "page.png", 1440, "light", whole=False)
        browser.close()
    server.should_exit = True


if __name__ == "__main__":
    main()
