"""One folding of text, written once for columns and once for single texts: they must agree."""

import time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disco.catalogue.text import fold_accents, normalise, printable, song_key, split_names, without_version

ALPHABET = st.sampled_from(
    [*list("abcXYZ019 '.,!$&-–’´()[]/é߯øŁıガ夜"), " feat. ", " - Live", " (Remix)", " Remastered 2011"]
)


@given(st.lists(ALPHABET, max_size=12).map("".join))
def test_folding_one_text_agrees_with_folding_an_array(title):
    column = normalise(without_version(fold_accents(pa.array([title]))))[0].as_py()
    assert song_key(title, "x") == (f"x\t{column}" if title else "")


@pytest.mark.parametrize(
    ("text", "clean"),
    [("a\nb\r\tc", "a b  c"), ("\x1b[31mred", "[31mred"), ("\u202etxt.exe", "txt.exe"), (None, ""), ("é 夜", "é 夜")],
)
def test_printable_removes_line_breaks_and_control_characters(text, clean):
    assert printable(text) == clean


def test_names_are_parted_in_time_linear_in_white_space():
    begin = time.process_time()
    assert split_names("A" + " " * 400_000 + "- B") == [("A", "B")]
    assert split_names(" \t" * 200_000) == []
    assert time.process_time() - begin < 2
    assert split_names("Corro \u2013  Tide - Part 2") == [
        ("Corro", "Tide - Part 2"),
        ("Corro \u2013  Tide", "Part 2"),
    ]
    assert split_names("Jay-Z - 99-Problems") == [("Jay-Z", "99-Problems")]
