"""The library as `import disco` shows it: what the commands do, by the same names and with the same defaults."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import pytest
from conftest import random_catalogue

import disco
from disco.cli import generate, order
from disco.errors import DiscoError
from disco.sources.files import tables


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "tracks.parquet"
    tables.write(random_catalogue(200, seed=6, artists=50), path)
    return str(path)


def printed(main, *arguments, capsys):
    assert main([*arguments, "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_make_makes_what_the_command_prints(path, capsys):
    options = ["--length", "4", "--sweetness", "2", "--bpm", "80-160", "--end-track", "title 50", "--arc", "peak"]
    record = printed(generate.main, "title 5", "t00009", "--catalogue", path, *options, capsys=capsys)
    made = disco.make(
        disco.open(path),
        ["title 5", "t00009"],
        length=4,
        sweetness=2,
        bpm=(80, 160),
        end_track="title 50",
        arc="peak",
    )
    assert made.to_dict() == record


@pytest.mark.slow
def test_seeds_may_be_one_text_or_rows(path):
    catalogue = disco.open(path)
    one = disco.make(catalogue, "title 5", length=2).to_dict()
    assert disco.make(catalogue, catalogue.find("title 5"), length=2).to_dict() == one


def test_reorder_orders_what_the_command_prints(path, capsys, tmp_path):
    ids = [f"t{i:05}" for i in (3, 14, 15, 92, 65, 35)]
    (tmp_path / "mine.txt").write_text("\n".join(ids))
    options = ["--start-track", ids[2], "--iterations", "3"]
    record = printed(order.main, str(tmp_path / "mine.txt"), "--catalogue", path, *options, capsys=capsys)
    better = disco.reorder(disco.open(path), tmp_path / "mine.txt", start_track=ids[2], iterations=3)
    assert better.to_dict() == {**record, "name": better.name}
    assert better.tracks.table["track_id"][0].as_py() == ids[2]


@pytest.mark.slow
def test_lint_grades_a_playlist_and_recommend_finds_tracks(path):
    catalogue = disco.open(path)
    playlist = disco.make(catalogue, "title 5", length=5)
    assert sum(disco.lint(catalogue, playlist, iterations=1).grades.counts().values()) == 5
    found = disco.recommend(catalogue, ["title 5", "title 9"], n=4).to_dict()
    assert [track["position"] for track in found["tracks"]] == [1, 2, 3, 4]


@pytest.mark.parametrize("command", [generate, order])
def test_options_have_the_names_and_defaults_of_the_parameters(command):
    function = {generate: disco.make, order: disco.reorder}[command]
    usual = vars(command.parser().parse_args(["x"]))
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and name not in ("choose", "length"):
            assert usual[name] == (list(parameter.default) if parameter.default == () else parameter.default), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda c: disco.make("tracks.parquet", "x"), "'tracks.parquet' is no catalogue; open it first: disco.open("),
        (lambda c: disco.make(c), "a playlist needs a seed"),
        (lambda c: disco.make(c, [3.5]), "3.5 names no track"),
        (lambda c: disco.make(c, [10_000]), "10000 names no track"),
        (lambda c: disco.make(c, "title 5", bpm="fast"), "'fast' is no range"),
        (lambda c: disco.make(c, "title 5", arc="zigzag"), "'zigzag' is no arc"),
        (lambda c: disco.make(c, "title 5", start_key="Z"), "'Z' is no key"),
        (lambda c: disco.reorder(c, []), "the playlist has no tracks"),
        (lambda c: disco.reorder(c, "nowhere.m3u8"), "nowhere.m3u8: there is no such file"),
        (lambda c: disco.recommend(c), "give a playlist file, tracks, or a title"),
        (lambda c: disco.recommend(c, "title 5", n=0), "n must be 1 or more"),
    ],
)
def test_wrong_calls_fail_with_one_sentence(path, call, sentence):
    with pytest.raises(DiscoError) as error:
        call(disco.open(path))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.process
def test_public_names_are_listed_and_load_nothing_until_they_are_used():
    assert set(disco.__all__) <= set(dir(disco))
    assert all(getattr(disco, name) is not None for name in disco.__all__)
    code = "import sys, disco; print(*(name for name in sys.modules if name.startswith('disco.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    with pytest.raises(AttributeError, match="has no attribute 'mkae'"):
        _ = disco.mkae
