"""The page in a real browser: the story from search to export, and what must never happen on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from helpers.page import Page, browsing, serving

from disco.app.state import State

pytestmark = [
    *(pytest.mark.slow, pytest.mark.browser, pytest.mark.network, pytest.mark.process),
    pytest.mark.xdist_group("page"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    opened = Page(browser, address).open()
    yield opened
    assert not opened.wrong
    elsewhere = [url for url in opened.asked if not url.startswith((address, "data:", "blob:"))]
    assert not elsewhere
    opened.context.close()


def test_it_opens_with_the_example_playing(page: Page) -> None:
    assert len(page.ids) == 13
    assert page.tab.locator("#tracks li.seed").count() == 3
    assert "13 tracks" in page.tab.locator("#summary").inner_text()
    assert page.tab.locator("#tracks .join").count() == 12
    page.tab.wait_for_selector("#figure .scatterlayer .trace")


def test_from_a_search_to_a_file(page: Page) -> None:
    for chip in range(3, 0, -1):
        page.tab.locator(".chip button[aria-label^=Remove]").nth(chip - 1).click()
    assert "Name a song" in page.tab.locator("#summary").inner_text()
    page.tab.locator("#search-text").press_sequentially("sunday night stairc")
    page.tab.wait_for_selector("#search-found .found")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector("#tracks li.track")
    page.settled()
    assert "Sunday Night Staircase" in page.row(1).inner_text()
    assert len(page.ids) == 11
    page.tab.get_by_role("button", name="Save as").click()
    with page.tab.expect_download() as download:
        page.tab.get_by_role("menuitem", name="M3U8").click()
    assert download.value.suggested_filename.endswith(".m3u8")
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("#EXTM3U")


def test_a_knob_changes_the_list_and_undo_brings_it_back(page: Page) -> None:
    before = page.ids
    page.turn("flow", 20)
    after = page.ids
    assert after != before
    page.tab.locator("#tracks-title").focus()
    turns = 0  # one, unless the machine is so busy that a second lies between two keys
    while page.tab.locator("#flow-value").inner_text() != "1" and turns < 20:
        page.tab.keyboard.press("Control+z")
        turns += 1
    page.settled()
    assert page.ids == before
    for _ in range(turns):
        page.tab.keyboard.press("Control+y")
    page.settled()
    assert page.ids == after


def test_locked_tracks_stay_while_the_rest_adapts(page: Page) -> None:
    before = page.ids
    page.press(6, "Lock here")
    assert page.ids == before
    page.turn("flow", 20)
    after = page.ids
    assert after[5] == before[5]
    assert after != before
    page.press(6, "Unlock")
    assert page.tab.locator("#tracks li.locked").count() == 0


def test_what_is_thrown_out_does_not_come_back(page: Page) -> None:
    gone = page.ids[6]
    page.press(7, "Throw out")
    assert gone not in page.ids
    assert len(page.ids) == 13
    page.turn("smoothness", 10)
    assert gone not in page.ids


def test_five_others_are_offered_each_with_its_reason(page: Page) -> None:
    before = page.ids
    page.press(8, "Five others for this place")
    page.tab.wait_for_selector(".choice")
    assert page.tab.locator(".choice").count() == 5
    assert all(page.tab.locator(".choice .why").all_inner_texts())
    wanted = page.tab.locator(".choice .title").nth(2).inner_text()
    page.tab.locator(".choice").nth(2).click()
    page.settled()
    assert page.ids[7] != before[7]
    assert wanted in page.row(8).inner_text()


def test_a_row_can_be_dragged_and_is_locked_where_it_falls(page: Page) -> None:
    moved = page.ids[10]
    grips = page.tab.locator("#tracks li.track .grip")
    page.row(11)
    start, end = (grips.nth(i).bounding_box() for i in (10, 7))
    page.tab.mouse.move(start["x"] + 8, start["y"] + 12)
    page.tab.mouse.down()
    page.tab.mouse.move(end["x"] + 8, end["y"] + 12, steps=8)
    page.tab.mouse.up()
    page.settled()
    assert page.ids[7] == moved
    assert page.tab.locator("#tracks li.locked").count() == 1


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    tab = page.tab
    tab.keyboard.press("/")
    tab.keyboard.type("never going home")
    tab.wait_for_selector("#search-found .found")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    page.settled()
    assert tab.locator(".chip").count() == 4
    row = tab.locator("#tracks li.track").nth(4)
    row.focus()
    tab.keyboard.press("ArrowDown")
    moved = tab.evaluate("document.activeElement.dataset.id")
    assert moved == page.ids[5]
    tab.keyboard.press("Alt+ArrowDown")
    page.settled()
    assert page.ids.index(moved) == 6
    tab.keyboard.press("l")
    page.settled()
    assert tab.locator("#tracks li.locked").count() == 0
    tab.keyboard.press("Delete")
    page.settled()
    assert moved not in page.ids
    tab.keyboard.press("Control+z")
    page.settled()
    assert moved in page.ids


def test_a_link_creates_the_same_page_again(page: Page, browser: Any) -> None:
    page.turn("flow", 15)
    page.press(7, "Throw out")
    page.press(9, "Lock here")
    page.until("location.hash.startsWith('#s=')")
    other = Page(browser, page.address)
    other.open(page.tab.evaluate("location.hash"))
    assert other.ids == page.ids
    assert other.tab.locator("#flow-value").inner_text() == page.tab.locator("#flow-value").inner_text()
    assert other.tab.locator("#tracks li.locked").count() == 1
    other.context.close()


@pytest.mark.parametrize("hash_", ["#s=nonsense", "#s=q1YqU7IyqlWqBQA", "#what"])
def test_a_damaged_link_shows_the_example_and_says_so(browser: Any, address: str, hash_: str) -> None:
    opened = Page(browser, address).open(hash_)
    assert len(opened.ids) == 13
    assert "damaged" in opened.tab.locator("#banner").inner_text()
    assert not opened.wrong
    opened.context.close()


def test_an_arc_is_drawn_by_dragging_its_points(page: Page) -> None:
    tab, before = page.tab, page.ids
    tab.get_by_role("button", name="Length and arc").click()
    tab.locator("#arc-kind").click()
    tab.get_by_role("option", name="Cool-down").click()
    tab.wait_for_selector(".handle")
    page.settled()
    assert tab.locator(".handle").count() == 5
    assert page.ids != before
    first = tab.locator(".handle").first
    first.scroll_into_view_if_needed()
    height = float(first.get_attribute("aria-valuenow"))
    box = first.bounding_box()
    tab.mouse.move(box["x"] + 10, box["y"] + 10)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 10, box["y"] + 60, steps=5)
    tab.mouse.up()
    page.settled()
    assert float(tab.locator(".handle").first.get_attribute("aria-valuenow")) < height
    tab.locator(".handle").last.focus()
    tab.keyboard.press("ArrowUp")
    page.settled()
    assert float(tab.locator(".handle").last.get_attribute("aria-valuenow")) > 0


def test_two_settings_stand_side_by_side(page: Page) -> None:
    before = page.ids
    page.tab.get_by_role("button", name="Keep this as A").click()
    page.turn("flow", 20)
    assert page.tab.locator("#compare .column").count() == 2
    assert page.tab.locator("#compare .only").count() > 0
    page.tab.get_by_role("button", name="Back to A").click()
    page.settled()
    assert page.ids == before


def drop(page: Page, name: str, content: bytes) -> None:
    page.tab.evaluate(
        """([name, content]) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(content)], name));
          for (const kind of ["dragenter", "dragover", "drop"])
            window.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        [name, list(content)],
    )


def test_a_dropped_list_is_put_in_order_and_shown_beside_what_it_was(page: Page) -> None:
    given = page.ids[::2] + page.ids[1::2]
    drop(page, "friday.txt", "\n".join(given).encode())
    page.tab.wait_for_selector("#compare .column")
    page.settled()
    assert sorted(page.ids) == sorted(given)
    assert page.tab.locator("#tracks-title").inner_text() == "friday"
    assert page.tab.locator("#compare h3").all_inner_texts() == ["As given", "In order"]
    page.tab.get_by_role("button", name="As it was given").click()
    page.settled()
    assert page.ids == given
    page.tab.get_by_role("button", name="Go on from its end").click()
    page.until("document.querySelectorAll('#tracks li.seed').length === 3")
    page.settled()
    assert page.ids[:3] == given[-3:]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("cat.png", b"\x89PNG\r\n\x1a\n\0\0", "cat.png"), ("no.m3u8", b"", "is empty"), ("a.json", b"{", "a.json")],
)
def test_what_is_no_playlist_is_refused_in_words(page: Page, name: str, content: bytes, message: str) -> None:
    before = page.ids
    page.wrong = _NoUploads()
    drop(page, name, content)
    page.tab.locator("#banner.problem", has_text=message).wait_for()
    assert page.ids == before


class _NoUploads(list[str]):
    """The browser reports an answer that refuses as an error of its own."""

    def append(self, text: str) -> None:
        if "status of 400" not in text:
            super().append(text)


HOSTILE = "<img src=x onerror=alert(1)>"


def test_hostile_titles_are_shown_as_text(browser: Any, tmp_path: Path) -> None:
    rows = ["track_id,title,artists,key,mode,tempo_bpm,energy,genres"]
    titles = [
        HOSTILE,
        '"><script>alert(2)</script>',
        "{{7*7}} ${7*7}",
        "\u202egnp.exe",
        "javascript:alert(3)",
        "a\u0007b",
    ]
    rows += [
        f't{i},"{title.replace(chr(34), chr(34) * 2)}","{HOSTILE}",{i},1,{120 + i},0.{i + 1},techno'
        for i, title in enumerate(titles)
    ]
    file = tmp_path / "tracks.csv"
    file.write_text("\n".join(rows), encoding="utf-8")
    with serving((str(file),)) as address:
        opened = Page(browser, address)
        opened.tab.on("dialog", lambda dialog: opened.wrong.append("a dialog"))
        opened.tab.goto(address)
        opened.tab.locator("#search-text").fill("img")
        opened.tab.wait_for_selector("#search-found .found")
        opened.tab.keyboard.press("Enter")
        opened.tab.wait_for_selector("#tracks li.track")
        opened.settled()
        for tab in ("Keys", "Curves", "Joins", "Map"):
            opened.tab.get_by_text(tab, exact=True).click()
            opened.settled()
        assert HOSTILE in opened.tab.locator("#tracks").inner_text()
        assert opened.tab.locator("#tracks img, #tracks script, #figure img").count() == 0
        assert not opened.wrong
        opened.context.close()


def test_it_fits_a_phone(browser: Any, address: str) -> None:
    opened = Page(browser, address, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True).open()
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= 390
    opened.tab.locator("#tracks li.track").nth(4).tap()
    opened.tab.locator("#tracks li.track").nth(4).get_by_role("button", name="Lock here").tap()
    opened.settled()
    assert opened.tab.locator("#tracks li.locked").count() == 1
    opened.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_checker_finds_no_serious_violation(browser: Any, address: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened = Page(browser, address, color_scheme=scheme).open()
    opened.tab.get_by_role("button", name="Length and arc").click()
    opened.tab.wait_for_timeout(400)
    found = axe.Axe().run(opened.tab).response["violations"]
    serious = {
        each["id"]: [node["html"][:160] for node in each["nodes"][:3]]
        for each in found
        if each["impact"] in ("serious", "critical")
    }
    assert not serious
    opened.context.close()


def test_a_server_that_is_gone_loses_nothing_and_is_asked_again(browser: Any) -> None:
    with serving() as address:
        opened = Page(browser, address).open()
        before = opened.ids
    opened.tab.locator("#flow [role=slider]").focus()
    for _ in range(20):
        opened.tab.keyboard.press("ArrowRight")
    opened.tab.wait_for_selector("#banner.away")
    assert "does not answer" in opened.tab.locator("#banner").inner_text()
    assert opened.ids == before
    with serving(port=int(address.rpartition(":")[2])):
        opened.tab.wait_for_selector("#banner", state="hidden")
        opened.settled()
        assert opened.tab.locator("#flow-value").inner_text() == "3"
        assert opened.ids != before
        assert opened.ids[:3] == before[:3]
    opened.context.close()


def test_it_shows_how_far_the_catalogue_is_read(browser: Any, address: str) -> None:
    opened = Page(browser, address)
    answer = {"ready": False, "error": "", "progress": "12 of 50 tracks placed", "share": 0.24}
    opened.tab.route("**/page/ready", lambda route: route.fulfill(json=answer))
    opened.tab.goto(address)
    bar = opened.tab.locator("[role=progressbar][aria-valuenow='24']")
    bar.wait_for()
    assert opened.tab.locator("#reading p").inner_text() == "12 of 50 tracks placed (24 %)"
    assert bar.get_attribute("aria-valuetext") == "12 of 50 tracks placed"
    opened.tab.unroute("**/page/ready")
    opened.tab.wait_for_selector("#tracks li.track")
    assert opened.tab.locator("[role=progressbar]").count() == 0
    opened.context.close()


def test_the_script_starts_from_the_defaults_of_the_library(page: Page) -> None:
    assert page.tab.evaluate("window.disco.DEFAULTS") == json.loads(json.dumps(asdict(State())))
