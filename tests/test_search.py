"""Finding a track by what a person types: forgiving of spelling, firm about which track is meant."""

import io

import numpy as np
import pyarrow as pa
import pytest
from helpers.catalogues import catalogue_of, random_catalogue
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue import Catalogue, search
from disco.catalogue.search import ENOUGH, TextIndex
from disco.cli import console
from disco.errors import DiscoError, NotFoundError

# The wrong answers stand beside the right ones: other titles of the same artist, the same title by others,
# versions, and titles that share most of their words.
TRACKS = [
    ("changes", "Them Changes", ["Oakcat"], 70),
    ("changes-2", "Them Changes", ["Buddy Moss"], 60),
    ("just-changes", "Changes", ["Vale"], 99),
    ("kisses", "Cocoa Butter Kisses (feat. Mensa & Twist)", ["Chance the Trapper", "Mensa"], 80),
    ("butter", "Butter", ["Seven Boys"], 95),
    ("better", "Girlfriend Is Better - 2005 Remaster", ["Walking Heads"], 50),
    ("better-live", "Girlfriend Is Better (Live)", ["Walking Heads"], 80),
    ("girlfriend", "Girlfriend", ["April"], 95),
    ("halo", "Halo", ["Béyonnë"], 40),
    ("halo-karaoke", "Halo - Karaoke Version", ["Sing Kings"], 99),
    ("halo-remix", "Halo (Late Night Remix)", ["Béyonnë"], 90),
    ("hello", "Hello", ["Della"], 40),
    ("goodbye", "Hello Goodbye - Remastered 2009", ["The Beetles"], 99),
    ("stop", "Don’t Stop", ["Fleetwood Mick"], 60),
    ("stop-now", "Don't Stop Me Now - Remastered 2011", ["Queens"], 99),
    ("black", "Back In Black", ["AB/CD"], 90),
    ("black-2", "Black", ["Dave"], 90),
    ("pink", "P!nk Skies", ["A$AP Stony"], 10),
    ("jay", "99 Problems", ["JOY-Z"], 80),
    ("rem", "Everybody Cries", ["R.E.X."], 70),
    ("aenima", "Ænima", ["Tull"], 50),
    ("strasse", "Straße der Nacht", ["Ø"], 2),
    ("yoru", "夜に走る", ["ヨル遊び"], 80),
    ("blood", "Группа ночи", ["Кино два"], 60),
    ("habibi", "يا حبيبي الليل", ["عمرو"], 50),
    ("spring", "봄밤", ["소년들"], 70),
    ("spring-live", "봄밤 (Live)", ["소년들"], 90),
    ("way", "By the Way", ["Red Hot"], 70),
    ("istanbul", "İstanbul", ["Sezin"], 3),
    ("guy", "Bad Guy", ["Billy Eyelash"], 95),
    ("strange", "???", ["Nobody Known"], 1),
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return of(TRACKS)


def of(tracks: list[tuple[str, str | None, list[str] | None, float | None]]) -> Catalogue:
    names = ("track_id", "title", "artists", "popularity")
    return catalogue_of([dict(zip(names, track, strict=True)) for track in tracks])


def found(catalogue: Catalogue, text: str) -> str:
    """Id of the best answer, empty if nothing is near enough to be one."""
    matches = catalogue.search(text)
    return catalogue.ids(np.array([matches[0].row]))[0] if matches and matches[0].score >= ENOUGH else ""


@pytest.mark.parametrize(
    ("text", "track"),
    [
        ("them changes oakcat", "changes"),
        ("oakcat them changes", "changes"),
        ("changes oakcat them", "changes"),
        ("buddy moss - them changes", "changes-2"),
        ("THEM CHANGES OAKCAT", "changes"),
        ("changes", "just-changes"),
        ("halo beyonne", "halo"),
        ("halo béyonnë", "halo"),
        ("hello", "hello"),
        ("hello goodbye", "goodbye"),
        ("Hello, Goodbye!", "goodbye"),
        ("dont stop", "stop"),
        ("don't stop", "stop"),
        ("Don‘t Stop Me Now", "stop-now"),
        ("ab/cd back in black", "black"),
        ("ab cd back in black", "black"),
        ("pink skies asap stony", "pink"),
        ("99 problems joy z", "jay"),
        ("everybody cries rex", "rem"),
        ("aenima", "aenima"),
        ("STRASSE DER NACHT", "strasse"),
        ("istanbul", "istanbul"),
        ("夜に走る", "yoru"),
        ("ヨル遊び 夜に走る", "yoru"),
        ("группа ночи", "blood"),
        ("КИНО ДВА ГРУППА", "blood"),
        ("حبيبي الليل عمرو", "habibi"),
        ("봄밤", "spring"),
        ("봄밤 소년들", "spring"),
        ("nobody known", "strange"),
    ],
)
def test_case_accents_punctuation_and_the_order_of_words_do_not_matter(catalogue, text, track):
    assert found(catalogue, text) == track


@pytest.mark.parametrize(
    ("text", "track"),
    [
        ("cocoa butter kisses", "kisses"),
        ("cocoa butter kisses feat. mensa", "kisses"),
        ("Cocoa Butter Kisses (feat. Somebody Else)", "kisses"),
        ("cocoa butter kisses ft twist chance the trapper", "kisses"),
        ("girlfriend is better", "better"),
        ("Girlfriend Is Better - Remastered 2011", "better"),
        ("girlfriend is better remastered 2005", "better"),
        ("Girlfriend Is Better (2005 Remaster) walking heads", "better"),
        ("Them Changes - Remastered 2011", "changes"),
        ("don't stop me now", "stop-now"),
        ("hello goodbye the beetles", "goodbye"),
    ],
)
def test_guests_and_remasters_may_be_named_or_left_out(catalogue, text, track):
    assert found(catalogue, text) == track


@pytest.mark.parametrize(
    ("text", "track"),
    [
        ("halo", "halo"),
        ("halo karaoke", "halo-karaoke"),
        ("Halo - Karaoke Version", "halo-karaoke"),
        ("halo remix", "halo-remix"),
        ("girlfriend is better live", "better-live"),
        ("Girlfriend Is Better (Live)", "better-live"),
        ("봄밤 live", "spring-live"),
    ],
)
def test_other_versions_come_first_only_if_the_query_names_them(catalogue, text, track):
    assert found(catalogue, text) == track


@pytest.mark.parametrize(
    ("text", "track"),
    [
        ("them chnages oakcat", "changes"),  # swap
        ("them chages oakcat", "changes"),  # drop
        ("them channges oakcat", "changes"),  # double
        ("them chabges oakcat", "changes"),  # replace
        ("bakc in black", "black"),
        ("cocoa buter kises", "kisses"),
        ("girlfrend is beter", "better"),
        ("evrybody cryes", "rem"),
        ("bad guy bily eyelsh", "guy"),
        ("група ночи", "blood"),
        ("cocoabutter kisses", "kisses"),
        ("badguy", "guy"),
        ("backin black", "black"),
    ],
)
def test_small_typos_and_joined_words_are_found_but_not_exact(catalogue, text, track):
    assert found(catalogue, text) == track
    exact = catalogue.search(text)[0].exact
    assert exact == (text in ("cocoabutter kisses", "badguy", "backin black"))


def test_an_exact_word_comes_before_a_misspelt_one():
    catalogue = of([("typo", "Nightz", ["A"], 99), ("right", "Nights", ["B"], 1)])
    assert [match.exact for match in catalogue.search("nights")] == [True, False]
    assert found(catalogue, "nights") == "right"
    assert found(catalogue, "nightz") == "typo"


@pytest.mark.parametrize(
    ("popularity", "first"), [((1, 2, 2), 1), ((3, 2, 1), 0), ((None, None, 0), 2), ((None, None, None), 0)]
)
def test_among_equals_the_more_popular_wins_and_then_the_lower_row(popularity, first):
    catalogue = of([(f"t{i}", "Same Title", [f"Artist {i}"], value) for i, value in enumerate(popularity)])
    assert catalogue.search("same title")[0].row == first
    assert catalogue.search("artist 0 same title")[0].row == 0


@pytest.mark.parametrize("text", ["", "   ", "???", "!?-–", "\n", "🎧", "\0"])
def test_a_text_without_words_finds_nothing(catalogue, text):
    assert catalogue.search(text) == []


@pytest.mark.parametrize("text", ["the", "feat.", "by the", "a and by the feat"])
def test_a_query_of_stop_words_alone_is_searched(catalogue, text):
    assert catalogue.search(text)


def test_a_title_of_stop_words_alone_is_found(catalogue):
    assert found(catalogue, "by the way") == "way"


@pytest.mark.slow
@pytest.mark.parametrize("text", ["zzqqxx", "xylophone orchestra", "x " * 300, "q" * 3000])
def test_no_match_gives_the_nearest_five_below_the_threshold(catalogue, text):
    matches = catalogue.search(text)
    assert len(matches) == 5
    assert len({match.row for match in matches}) == 5
    assert all(0 <= match.score < ENOUGH and not match.exact for match in matches)


def test_scores_are_sorted_and_n_matches_are_returned(catalogue):
    for n in (1, 3, 50):
        scores = [match.score for match in catalogue.search("halo", n)]
        assert len(scores) <= n
        assert scores == sorted(scores, reverse=True)


def test_tracks_without_title_or_artist_can_be_searched():
    catalogue = of([("none", None, None, None), ("title", "Night", None, 1), ("artist", None, ["Night"], 5)])
    assert found(catalogue, "night") == "title"
    assert of([("none", None, None, None)]).search("night") == []


@pytest.mark.slow
def test_the_index_is_built_once_at_the_first_search(monkeypatch):
    catalogue, built = random_catalogue(2_000, seed=3, artists=90), []
    real = search.TextIndex

    def counting(*arguments: object) -> search.TextIndex:
        built.append(1)
        return real(*arguments)

    monkeypatch.setattr("disco.catalogue.table.TextIndex", counting)
    assert built == []
    rows = np.random.default_rng(1).choice(2_000, 40, replace=False)
    for row, track in zip(rows, catalogue.tracks(rows), strict=True):
        best = catalogue.search(f"{track['artists'][0]} {track['title']}")[0]
        assert (best.row, best.exact) == (row, True)
    assert len(built) == 1


@pytest.mark.parametrize(
    "text",
    [
        "4uLU6hMCjMI75M1A2tKUQC",
        " 4uLU6hMCjMI75M1A2tKUQC ",
        "spotify:track:4uLU6hMCjMI75M1A2tKUQC",
        "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC",
        "https://open.spotify.com/intl-de/track/4uLU6hMCjMI75M1A2tKUQC?si=1",
    ],
)
def test_ids_uris_and_links_are_found_without_a_message(caplog, text):
    caplog.set_level("INFO", logger="disco")
    catalogue = of([("a", "4uLU", ["A"], 1), ("4uLU6hMCjMI75M1A2tKUQC", "B", ["B"], 1)])
    assert catalogue.find(text).tolist() == [1]
    assert caplog.messages == []


@pytest.mark.parametrize("text", ["spotify:track:absent", "https://open.spotify.com/track/absent"])
def test_a_link_of_an_unknown_track_is_not_searched_as_text(catalogue, text):
    with pytest.raises(NotFoundError, match="'absent' in a test"):
        catalogue.find(text)


@pytest.mark.parametrize("text", ["halo", "oakcat them changes", "Girlfriend Is Better", "hello"])
def test_a_clear_match_is_taken_without_a_message(catalogue, caplog, text):
    caplog.set_level("INFO", logger="disco")
    catalogue.find(text)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("text", "taken", "others"),
    [
        ("them changes", "Them Changes by Oakcat", ["Them Changes by Buddy Moss"]),
        ("bakc in black", "Back In Black by AB/CD", []),
        ("walking heads", "Girlfriend Is Better", []),
    ],
)
def test_an_ambiguous_match_is_logged_with_the_alternatives(catalogue, caplog, text, taken, others):
    caplog.set_level("INFO", logger="disco")
    catalogue.find(text)
    (message,) = caplog.messages
    for part in [f"asked for {text!r}", f"took '{taken}", "--interactive", *others]:
        assert part in message


def test_other_versions_of_the_same_song_are_not_ambiguous(caplog):
    caplog.set_level("INFO", logger="disco")
    catalogue = of(
        [("a", "Night", ["A"], 9), ("b", "Night - Remastered 2011", ["A"], 5), ("c", "Night (Live)", ["A"], 1)]
    )
    assert catalogue.find("night").tolist() == [0]
    assert caplog.messages == []


@pytest.mark.parametrize(("answer", "row"), [("\n", 0), ("1\n", 0), ("2\n", 1), ("seven\n0\n9\n2\n", 1)])
def test_interactive_asks_and_takes_the_answer(catalogue, monkeypatch, capsys, answer, row):
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert catalogue.find("them changes", choose=console.ask).tolist() == [row]
    out, asked = capsys.readouterr()
    assert out == ""
    assert "1  Them Changes by Oakcat" in asked
    assert "2  Them Changes by Buddy Moss" in asked


def test_interactive_without_an_answer_is_an_error(catalogue, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(DiscoError, match="leave out --interactive"):
        catalogue.find("them changes", choose=console.ask)


def test_an_unknown_seed_is_an_error_with_the_nearest_five(catalogue):
    with pytest.raises(NotFoundError) as error:
        catalogue.find("Changhez of the Zzyzx Xylophone")
    result = str(error.value)
    assert "'Changhez of the Zzyzx Xylophone' in a test" in result
    assert "the nearest are" in result
    assert result.count(" by ") == 5


def test_a_seed_with_nothing_to_search_is_not_found(catalogue):
    with pytest.raises(NotFoundError, match=r"no track found for '\?!' in a test$"):
        catalogue.find("?!")


def test_invalid_utf8_in_a_query_is_replaced(catalogue):
    assert catalogue.find("halo \udce9").tolist() == [8]
    with pytest.raises(NotFoundError):
        catalogue.find("\udce9\udce9")


def test_words_outside_the_vocabulary_never_find_a_track():
    tiny = catalogue_of([{"track_id": "a", "title": "Salt", "artists": ["Dot"]}])
    for text in ("zzz qqq", "zorblax quint yyyy", "wwww"):
        with pytest.raises(NotFoundError, match=r"the nearest are 'Salt by Dot'"):
            tiny.find(text)


words = st.lists(st.sampled_from(["a", "tide", "night", "(live)", "- remastered 2011", "(feat. x)", "x"]), max_size=4)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=30))
def test_a_packed_index_has_the_same_tracks_for_each_word(tracks: list[tuple[list[str], list[str]]]) -> None:
    titles, artists = (pa.array([" ".join(names[i]) for names in tracks], pa.string()) for i in (0, 1))
    popularity = np.arange(len(tracks), dtype=np.float32)
    built = TextIndex(titles, artists, popularity)
    packed = TextIndex.unpack(built.pack(), popularity)
    for name in ("_core", "_whole", "_artist"):
        for word in range(len(built._vocabulary)):
            rows = getattr(packed, name)[word].tolist()
            assert sorted(rows) == sorted(getattr(built, name)[word].tolist())
            assert len(set(rows)) == len(rows)
    for text in ("night tide", "tide live", "feat x", "nigth"):
        assert packed.search(text) == built.search(text)
