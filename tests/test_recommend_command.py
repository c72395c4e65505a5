"""The command `recommend` as its users meet it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from helpers.trained import KIND, data_files, trained

from disco.cli import main as command_line
from disco.cli.recommend import main
from disco.models import recommenders
from disco.models.recommenders import METHODS
from disco.models.recommenders.scoring import Scored


def run(capsys, *arguments):
    code = main([str(a) for a in arguments])
    return code, *capsys.readouterr()


@pytest.fixture
def where():
    return ["--catalogue", data_files()[0]]


@pytest.fixture
def knn(where):
    return [*where, "--recommender", trained("playlist-knn")]


@pytest.fixture
def reader(where, monkeypatch):
    """A recommender that reads which kind a title names, and gives probabilities."""

    def score(queries):
        kinds = [int(q.title.split()[1]) if q.title.startswith("kind ") else -1 for q in queries]
        kinds = [KIND[q.seeds[0]] if k < 0 and len(q.seeds) else k for k, q in zip(kinds, queries, strict=True)]
        made = np.stack([np.where(kind == KIND, 0.9, 0.01) for kind in kinds]).astype(np.float32)
        made[np.array(kinds) < 0] = np.nan
        return made

    made = Scored("reader", 300, score, reads_titles=True, gives_probabilities=True)
    monkeypatch.setitem(recommenders.RECOMMENDERS, "reader", lambda catalogue: made)
    return [*where, "--recommender", "reader"]


def test_tracks_are_named_with_their_scores(capsys, knn):
    code, out, _ = run(capsys, "t00005", "title 10", *knn, "-n", 4)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["Title", "Artist", "Score"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3", "4"]


def test_json_is_one_object_and_nothing_else(capsys, knn):
    code, out, _ = run(capsys, "t00005", "t00010", *knn, "-n", 4, "--json")
    result = json.loads(out)
    assert code == 0
    assert list(result) == ["recommender", "catalogue", "title", "seeds", "scores_are", "tracks"]
    assert (result["recommender"], result["seeds"], result["scores_are"]) == (
        "playlist-knn",
        ["t00005", "t00010"],
        "score",
    )
    assert [track["position"] for track in result["tracks"]] == [1, 2, 3, 4]
    assert set(result["tracks"][0]) == {"position", "id", "title", "artist", "score"}
    assert all(KIND[int(track["id"][1:])] == 0 for track in result["tracks"])


def test_fifteen_are_named_by_default_and_a_file_is_a_playlist(capsys, knn, tmp_path):
    (tmp_path / "mine.txt").write_text("t00005\nt00010\nstranger\n")
    code, out, err = run(capsys, tmp_path / "mine.txt", *knn, "--json")
    assert code == 0
    assert json.loads(out)["seeds"] == ["t00005", "t00010"]
    assert len(json.loads(out)["tracks"]) == 15
    assert "2 of the 3 tracks of" in err


def test_a_lone_text_that_is_no_track_is_a_title_to_those_who_read_titles(capsys, reader, knn):
    code, out, err = run(capsys, "kind 3 trip", *reader, "--json")
    assert code == 0
    assert "is taken as a title" in err
    result = json.loads(out)
    assert (result["title"], result["seeds"], result["scores_are"]) == ("kind 3 trip", [], "confidence")
    assert all(KIND[int(track["id"][1:])] == 3 for track in result["tracks"])
    code, out, _ = run(capsys, "title 12", *reader, "--json")
    assert json.loads(out)["seeds"] == ["t00012"]
    code, out, _ = run(capsys, "--title", "kind 1", "title 12", *reader, "--json")
    assert (json.loads(out)["seeds"], json.loads(out)["title"]) == (["t00012"], "kind 1")
    assert "90.0%" in run(capsys, "--title", "kind 1", *reader)[1]
    code, _, err = run(capsys, "kind 3 trip", *knn)
    assert code == 1
    assert "no track found for 'kind 3 trip'" in err


def test_a_file_without_a_known_track_has_its_title(capsys, reader, knn, tmp_path):
    held = {"name": "kind 2", "tracks": [{"id": "unmatched"}]}
    (tmp_path / "a.json").write_text(json.dumps(held))
    assert all(
        KIND[int(t["id"][1:])] == 2
        for t in json.loads(run(capsys, tmp_path / "a.json", *reader, "--json")[1])["tracks"]
    )
    code, _, err = run(capsys, tmp_path / "a.json", *knn)
    assert code == 1
    assert "none of the 1 tracks of" in err


def test_a_catalogue_smaller_than_n_gives_what_there_is_and_a_note(capsys, knn):
    code, out, err = run(capsys, "t00005", *knn, "-n", 1000, "--json")
    assert code == 0
    assert len(json.loads(out)["tracks"]) == 279
    assert "only 279 of 1000 tracks" in err


LONG = "beach trip " * 1000


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "give a file with a playlist, tracks, or a title"),
        (["", "  "], 2, "give a file with a playlist, tracks, or a title"),
        (["t00005", "-n", "0"], 2, "-n must be 1 or more"),
        (["🎉🎉"], 1, "no track found for '🎉🎉'"),
        ([LONG], 1, "no track found for a text of 11,000 characters"),
        (["--title", LONG], 1, "playlist-knn reads no titles; name seeds"),
        (["t00045"], 1, "playlist-knn knows none of the seeds"),
        (["t00005", "--recommender", "oracle"], 1, "there is no recommender 'oracle'; there are: music, nearest"),
        (["a\0b"], 1, "no track found"),
        (["nowhere/mine.M3U8"], 1, "nowhere/mine.M3U8: there is no such file"),
        (["."], 1, "no track found for '.'"),
        ([__file__, "t00005"], 1, "is a file; give one file alone"),
    ],
)
def test_bad_input_gets_a_sentence_and_a_code(arguments, code, sentence, capsys, knn):
    got, out, err = run(capsys, *knn, *arguments)
    assert (got, out) == (code, "")
    assert sentence in err
    assert "Traceback" not in err


@pytest.mark.parametrize("title", [LONG, "🎉", "Пляж", "\n\0"])
def test_strange_titles_are_survived(title, capsys, reader):
    code, out, err = run(capsys, *reader, "--title", title)
    assert code in (1, 2)
    assert out == ""
    assert "title" in err


@pytest.mark.slow
def test_seeds_are_never_among_the_answers(capsys, knn, where):
    for recommender in ("popularity", "item-knn", "playlist-knn"):
        asked = [*where, "--recommender", trained(recommender), "-n", 300, "--json"]
        ids = [track["id"] for track in json.loads(run(capsys, "t00005", "t00007", *asked)[1])["tracks"]]
        assert not {"t00005", "t00007"} & set(ids)


@pytest.mark.process
@pytest.mark.parametrize("way", [["-m", "disco", "recommend"]])
def test_the_command_runs_from_the_shell(way):
    asked = ["demo-01197", "--json", "--quiet", "-n", "3"]
    done = subprocess.run([sys.executable, *way, *asked], capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["tracks"]) == 3
    assert done.stderr == ""


def test_a_playlist_is_generated_from_a_title_alone(capsys, reader):
    assert (
        command_line.main(
            ["generate", "--title", "kind 4", *map(str, reader), "--length", "6", "--candidates", "50", "--json"]
        )
        == 0
    )
    result = json.loads(capsys.readouterr().out)
    assert result["recommender"] == "reader"
    assert [KIND[int(track["id"][1:])] for track in result["tracks"]].count(4) == len(result["tracks"]) == 6


def test_a_trained_recommender_is_used_to_generate(capsys, knn):
    assert command_line.main(["generate", "t00005", *map(str, knn), "--candidates", "40", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["recommender"] == "playlist-knn"
    assert all(KIND[int(track["id"][1:])] == 0 for track in result["tracks"])


def test_every_method_is_named_in_the_help(capsys):
    assert run(capsys, "--help")[0] == 0
    main(["--help"])
    helped = "".join(capsys.readouterr().out.split())  # lines break at hyphens too
    assert all(name in helped for name in METHODS)
