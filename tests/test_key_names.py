"""Keys as websites, taggers and DJ programs write them, in eleven languages and with what stands beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue.key_names import parse_key, read_key

A_MINOR = """8A|08A|8a|8 A|8-A|1m|01m|Am|A min|Amin|A minor|A-minor|Aminor|A Minor|A_minor|a-moll|A-Moll|A moll|A mi
A♮ minor|A natural minor|A aeolian|A minor key|key of A minor|Key: Am|Tonart: a-moll|Camelot 8A|8A Camelot|Open Key 1m
La mineur|la m|La min|La minore|La menor|Lá menor|A mineur|a klein|ля минор|イ短調|A小调|A小調|A단조|A min.|Am*
8A/Am|Am/8A|8A / 1m|8A | Am|8A (Am)|Am (8A)|Am [8A]|8A=Am|8A, Am|8A - Am|8A/A|A / minor|A (minor)|A, Minor|A - minor
8A - 7|8A - Energy 7|8A Energy 7|Energy 7 - 8A|8A/7|8A, 7|8A-7|8A_7|8A - Energy Level 7|7 - 8A|8A • 7|8A 7
8A - 128|8A 128|8A-128|128 - 8A|124 BPM / 8A|8A - 124.5|8A 124,5 BPM|A minor (8A) - 124 BPM
Am +50 cents|Am (+12 cents)|Am -15 cents|Am +15|Am 440Hz|Am ±0|8A 98%|"8A"|'Am'|8A minor"""
OTHERS = {
    "F♯/G♭ minor|F#/Gbm|F#m/Gbm|F♯m (11A)|Fsharp minor|F-sharp minor|fis-Moll|fis klein|嬰ヘ短調|升F小调|11A - F#m": (
        6,
        0,
    ),
    "G#/Abm|G#m|G♯ minor|Ab minor|A♭ / G♯ minor|1A|6m|G#m - 1A|As-Moll|gis-moll|Sol# mineur": (8, 0),
    "A#m +50 cents|Bbm|B♭ minor|A#/Bb Minor|3A|Si bémol mineur|sib m|b-moll": (10, 0),
    "A♭ Major|Ab|G#/Ab|4B|9d|Ab maj|As-Dur|La b majeur|La bemolle maggiore|Lá bemol maior|降A大调": (8, 1),
    "C♯/D♭ Major|C#|Db|Db/C#|3B|Des-Dur|Do# mayor|до-диез мажор": (1, 1),
    "C|8B|1d|C major|Cmaj|CM|C Dur|Do majeur|до мажор|ハ長調|C大调|C장조|C groot": (0, 1),
    "B|H|1B|H-Dur|B major|Si majeur|Cb": (11, 1),
    "E♭ / D♯ minor|Ebm (2A)|2A (Ebm)|D#m|es-moll|ми-бемоль минор|Mi♭ mineur": (3, 0),
}
NONE = """|-|off|all|o|?|n/a|13A|0B|H9|8A/9A|A major/F# minor|The|Bad|Deadmau5|A Tribe|Des|Dis|Cism|128|11|Am7
A B|minor|Am Em|8C|x|Energy 7|124 BPM|A+B|8A9A|Abba"""
spellings = A_MINOR.replace(" | ", "¦").replace("\n", "|").split("|")


@pytest.mark.parametrize("text", [text.replace("¦", " | ") for text in spellings])
def test_a_minor_is_read_in_every_spelling(text):
    assert parse_key(text) == (9, 0)


@pytest.mark.parametrize(("text", "key"), [(text, key) for texts, key in OTHERS.items() for text in texts.split("|")])
def test_sharps_and_flats_are_read_in_every_spelling(text, key):
    assert parse_key(text) == key


@pytest.mark.parametrize("text", NONE.replace("\n", "|").split("|"))
def test_what_is_no_key_or_two_is_none(text):
    assert parse_key(text) is None


@pytest.mark.parametrize(
    ("text", "key"), [("A", (9, None)), ("sib", (10, None)), ("C♯ / D♭", (1, None)), ("Am", (9, 0))]
)
def test_a_note_alone_has_no_mode_until_something_decides(text, key):
    assert read_key(text) == key


@given(st.text(max_size=100))
def test_any_text_is_a_key_or_none(text):
    key = parse_key(text)
    assert key is None or (key[0] in range(12) and key[1] in (0, 1))
