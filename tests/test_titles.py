"""Titles become what they say, whoever writes them and however."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from math import log, sqrt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.catalogues import random_catalogue

from disco.errors import DataError
from disco.models.card import Card
from disco.models.recommenders.artifacts import Artifacts
from disco.models.recommenders.titles import TITLES, Titles, learn_terms, terms
from disco.models.title_words import MAX_LENGTH, tokens

SOME = ["beach trip 2016", "Beach 🏖️", "beaches", "road trip", "sad", "sad songs", "Sad!", "音楽 2016", "🏖🏻", ""]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Beach Trip 2016", ["beach", "trip", "2016"]),
        ("  BEYONCÉ’s 90's... ", ["beyonces", "90s"]),
        ("ｗｉｄｅ 𝓯𝓪𝓷𝓬𝔂 ﬁne", ["wide", "fancy", "fine"]),
        ("straße STRASSE", ["strasse", "strasse"]),
        ("R&B / hip-hop", ["r", "and", "b", "hip", "hop"]),
        ("☀️☀ 👍🏽👍", ["☀", "☀", "👍", "👍"]),
        ("👩‍🎤1️⃣", ["👩", "🎤", "1"]),
        ("夏の音楽2016", ["夏", "の", "音", "楽", "2016"]),
        ("여름 노래", ["여름", "노래"]),
        ("हिन्दी गाने", ["हिन्दी", "गाने"]),
        ("мой Плейлист", ["мои", "плеилист"]),
        ("<3 $$ chill$", ["<", "3", "$", "$", "chill", "$"]),
        ("", []),
        (" \n\0\u202e…!?", []),
    ],
)
def test_tokens_are_normalised_words_and_emoji(title, expected):
    assert tokens(title) == expected


def test_terms_are_unique_words_pairs_and_n_grams():
    found = list(terms("sad sad boi ☀"))
    pieces = ["<sa", "sad", "ad>", "<sad", "sad>", "<bo", "boi", "oi>", "<boi", "boi>"]
    assert found == ["=sad", "=boi", "=☀", "=sad sad", "=sad boi", "=boi ☀", *pieces]


def test_the_vocabulary_agrees_with_a_count_by_hand():
    found = learn_terms(SOME, 2, 100)
    counts = Counter(term for title in SOME for term in set(terms(title)))
    assert all(count >= 2 for count in map(counts.__getitem__, found.terms))
    words = {term for term, count in counts.items() if count >= 2 and term.startswith("=")}
    assert words == {term for term in found.terms if term.startswith("=")}
    # In the three playlists of "beach" are all its pieces: those longest, which no other holds, are kept.
    assert {"<beac", "beach"} <= set(found.terms)
    assert not {"bea", "eac", "<bea", "each"} & set(found.terms)
    np.testing.assert_allclose(found.weights, [log(len(SOME) / counts[t]) for t in found.terms], rtol=1e-6)
    often = [counts[t] for t in found.terms]
    assert often == sorted(often, reverse=True), "the most informative first"
    assert learn_terms(SOME, 2, 5).terms == found.terms[:5]
    assert learn_terms(list(SOME), 2, 100).terms == found.terms


def test_a_title_vector_agrees_with_a_computation_by_hand():
    model = learn_terms(SOME, 2, 100)
    vector = model.vectors(["SAD beach"])[0]
    weights = dict(zip(model.terms, model.weights.tolist(), strict=True))
    known = [t for t in terms("sad beach") if t in weights]
    for half in ([t for t in known if t[0] == "="], [t for t in known if t[0] != "="]):
        length = sqrt(sum(weights[t] ** 2 for t in half))
        for t in half:
            assert vector[model.terms.index(t)] == pytest.approx(weights[t] / length / sqrt(2), rel=1e-5)
    assert (vector != 0).sum() == len(known)
    assert np.linalg.norm(vector) == pytest.approx(1, rel=1e-5)


def test_similar_titles_have_similar_vectors_and_unknown_ones_are_zero():
    model = learn_terms(SOME * 3, 2, 1000)
    near = model.vectors(["the BEACH!!", "beach", "sad", "xyzzy", "", "🤖", "🏖🏿"])
    assert near[0] @ near[1] > 0.99
    assert near[1] @ near[2] == 0
    assert not near[3:6].any()
    assert near[6].any()
    assert model.vectors([]).shape == (0, len(model))


def test_sparse_and_dense_vectors_agree():
    model = learn_terms(SOME, 2, 1000)
    bags, dense = model.bags(SOME), model.vectors(SOME)
    for i in range(len(SOME)):
        np.testing.assert_array_equal(bags.combined(np.array([i]), np.ones(1)), dense[i])


def test_a_very_long_title_is_cut_and_fast():
    model, long = learn_terms(SOME, 2, 1000), "beach " + "sad " * 2500
    np.testing.assert_array_equal(model.vectors([long]), model.vectors([long[:MAX_LENGTH]]))
    began = time.perf_counter()
    # A ligature that NFKC makes 18 letters of, and marks without end.
    for strange in ("ﷺ" * 10_000, "e" + "\u0301" * 10_000, "\U0001f3fb" * 10_000, "<" * 10_000, "\ud800" * 10):
        assert sum(map(len, tokens(strange))) <= MAX_LENGTH
        assert np.isfinite(model.vectors([strange])).all()
    assert time.perf_counter() - began < 1


def test_equal_titles_give_no_terms():
    assert len(learn_terms(["same"] * 20, 2, 100)) == 0
    assert len(learn_terms([""] * 20, 2, 100)) == 0
    assert learn_terms([], 2, 100).vectors(["same"]).shape == (1, 0)


def in_folder(tmp_path, table=None) -> Artifacts:
    path = tmp_path / TITLES
    if table is None:
        learn_terms(SOME, 2, 100).write(path)
    else:
        pq.write_table(pa.table(table), path)
    files = {TITLES: hashlib.sha256(path.read_bytes()).hexdigest()}
    return Artifacts(Card(tmp_path, {"name": "x", "files": files}), random_catalogue(5))


def test_written_terms_are_read_back(tmp_path):
    model, again = learn_terms(SOME, 2, 100), Titles.read(in_folder(tmp_path))
    assert again.terms == model.terms
    np.testing.assert_array_equal(again.vectors(SOME), model.vectors(SOME))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"term": ["=a", "=a"], "weight": [1.0, 2.0]}, "a duplicate or empty term"),
        ({"term": ["=a", None], "weight": [1.0, 2.0]}, "a duplicate or empty term"),
        ({"term": ["=a", "=b"], "weight": [1.0, np.nan]}, "not a number above 0"),
        ({"term": ["=a", "=b"], "weight": [1.0, None]}, "not a number above 0"),
        ({"term": ["=a"], "weight": ["heavy"]}, "is not a readable table of terms"),
        ({"term": ["=a"]}, "is not a readable table of terms"),
    ],
)
def test_invalid_terms_are_reported_in_one_sentence(tmp_path, table, sentence):
    with pytest.raises(DataError, match=sentence):
        Titles.read(in_folder(tmp_path, table))
    folder = in_folder(tmp_path)
    (tmp_path / TITLES).write_bytes(b"other")
    with pytest.raises(DataError, match="checksums differ"):
        Titles.read(folder)
