"""The command as its users meet it: what it prints, writes, refuses, and exits with."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from helpers.catalogues import SHARED, random_catalogue

from disco.cli import generate, main
from disco.export import FORMATS
from disco.models.predictors import PREDICTORS
from disco.sources import EXAMPLE_SEEDS
from disco.sources.files import tables


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "tracks.parquet"
    tables.write(random_catalogue(200, seed=6, artists=50), path)
    return str(path)


def run(*arguments, capsys=None):
    code = generate.main([str(a) for a in arguments])
    return code, *capsys.readouterr()


@pytest.mark.slow
def test_the_example_plays_the_demo_and_says_that_it_is_invented(capsys):
    code, out, err = run("--example", capsys=capsys)
    assert code == 0
    assert "no such music exists" in err
    assert "invented tracks" in out
    assert "Key move" in out


def test_json_is_one_object_of_the_agreed_shape_and_nothing_else(library, capsys):
    code, out, _ = run("title 5", "t00009", "--catalogue", library, "--json", "--length", 4, capsys=capsys)
    result = json.loads(out)
    assert code == 0
    assert list(result) == ["name", "knobs", "catalogue", "predictor", "recommender", "sequencer", "tracks"]
    assert result["knobs"] == {"flow": 1.0, "spicyness": 1.2, "sweetness": 1.0, "smoothness": 1.0}
    assert result["catalogue"] == {"where": library, "tracks": 200}
    assert (result["predictor"], result["recommender"], result["sequencer"]) == ("music", "music", "beam")
    assert [t["position"] for t in result["tracks"]] == [1, 2, 3, 4, 5, 6]
    assert [t["seed"] for t in result["tracks"]] == [True, True, False, False, False, False]
    assert result["tracks"][0]["join"] is None
    for track in result["tracks"][1:]:
        assert set(track["join"]) == {"cost", "distance", "key_similarity", "tempo_similarity"}
    assert set(result["tracks"][0]) == {
        *("position", "seed", "id", "title", "artist", "camelot", "key", "mode", "tempo_bpm", "duration_ms", "join")
    }


@pytest.mark.process
@pytest.mark.parametrize("way", [["-m", "disco.generate"], ["-m", "disco", "generate"]])
def test_the_command_runs_from_the_shell(way):
    done = subprocess.run(
        [sys.executable, *way, "--example", "--json", "--quiet"], capture_output=True, text=True, check=True
    )
    assert [t["id"] for t in json.loads(done.stdout)["tracks"][:3]] == list(EXAMPLE_SEEDS)
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--quiet"], 2, "give seeds, or --example"),
        (["--title", "beach trip", "--recommender", "content"], 1, "content reads no titles; name seeds"),
        (["--title", " "], 2, "give seeds, or --example"),
        (["--example", "--recommender", "oracle"], 1, "there is no recommender 'oracle'; there are: music, nearest"),
        (["a", "--example"], 2, "not both"),
        (["--example", "--catalogue", "x.csv"], 2, "leave out --catalogue"),
        (["a", "--length", "ten"], 2, "invalid int value"),
        (["a", "--length", "3", "--minutes", "3"], 2, "not allowed with"),
        (["a", "--bpm", "fast"], 2, "'fast' is no range"),
        (["a", "--duration", "1:x-2"], 2, "is no range"),
        (["a", "--colour", "red"], 2, "unrecognized arguments"),
        (["a", "--catalogue", "nowhere.parquet"], 1, "nowhere.parquet: there is no such file"),
        (["zzzyyyxxxwww qqqq"], 1, "no track found for 'zzzyyyxxxwww qqqq'"),
        (["spotify:track:0000000000000000000000"], 1, "no track has the id"),
        (["--example", "--include", "mood=sad"], 1, "'mood=sad' is no filter"),
        (["--example", "--include", "genre=polkacore"], 1, "the filters leave no track"),
        (["--example", "--bpm", "130-120"], 1, "LOW <= HIGH"),
        (["--example", "--flow", "nan"], 1, "flow must be a finite number"),
        (["--example", "--predictor", "oracle"], 1, "oracle: no model of this name"),
        (["--example", "--output", "list.docx"], 1, "known are .json, .csv, .m3u8"),
        (["--example", "--output", "no/such/folder/list.json"], 1, "there is no folder"),
        (["--example", "--plot", "flow.png"], 1, "known are .html"),
        (["--example", "--settings", "nowhere.toml"], 1, "nowhere.toml: there is no such file"),
    ],
)
def test_bad_input_gets_a_sentence_and_a_code(arguments, code, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    got, out, err = run(*arguments, capsys=capsys)
    assert got == code
    assert sentence in err
    assert out == ""
    assert "Traceback" not in err
    if code == 1:
        assert len(err.strip().splitlines()) <= 2, "a note on the catalogue, and the sentence"
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_nothing_is_overwritten_without_force(library, capsys, tmp_path):
    where = tmp_path / "list.csv"
    where.write_text("mine")
    code, out, err = run("title 5", "--catalogue", library, "--output", where, capsys=capsys)
    assert code == 1
    assert "exists already; --force overwrites it" in err
    assert where.read_text() == "mine"
    assert out == ""
    assert run("title 5", "--catalogue", library, "--output", where, "--force", capsys=capsys)[0] == 0
    assert "Track Name" in where.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["list.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_the_output_holds_the_playlist(library, suffix, capsys, tmp_path):
    where = tmp_path / f"list{suffix}"
    code, out, _ = run("title 5", "--catalogue", library, "--output", where, "--json", capsys=capsys)
    assert code == 0
    text = where.read_text(encoding="utf-8")
    assert all(track["title"] in text for track in json.loads(out)["tracks"])


@pytest.mark.slow
def test_the_plot_is_a_page_that_needs_no_network(library, capsys, tmp_path):
    where = tmp_path / "flow.html"
    assert run("title 5", "--catalogue", library, "--plot", where, capsys=capsys)[0] == 0
    page = where.read_text(encoding="utf-8")
    assert "Title 5" in page
    assert 'src="http' not in page


@pytest.mark.slow
def test_settings_are_kept_and_used_and_the_command_line_wins(library, capsys, tmp_path):
    kept = tmp_path / "mine.toml"
    asked = ["t00005", "--catalogue", library, "--json", "--quiet"]
    knobs = ["--sweetness", 2.5, "--length", 5, "--include", "genre=techno", "--bpm", "90-150", "--no-explicit"]
    _, first, _ = run(*asked, *knobs, "--save-settings", kept, capsys=capsys)
    _, again, _ = run(*asked, "--settings", kept, capsys=capsys)
    assert json.loads(first) == json.loads(again)
    _, other, _ = run(*asked, "--settings", kept, "--sweetness", 0, "--minutes", 40, capsys=capsys)
    assert json.loads(other)["knobs"]["sweetness"] == 0
    assert len(json.loads(other)["tracks"]) != 6


def test_a_doubtful_match_is_reported_on_stderr(library, capsys):
    _, _, err = run("titel 5", "--catalogue", library, capsys=capsys)
    assert "asked for 'titel 5', took 'Title 5 by" in err


def test_names_from_unmatched_tracks_cannot_write_to_the_terminal(capsys, tmp_path):
    tracks = random_catalogue(30, seed=2).table.to_pylist()
    for track in tracks:
        track["title"] += "\x1b[2J\r\n[red]\u202eevil"
        track["artists"] = [f"A{track['track_id']}\x07\x9b31m"]
    path = tmp_path / "tracks.parquet"
    from helpers.catalogues import catalogue_of

    tables.write(catalogue_of(tracks), path)
    code, out, err = run("t00003", "--catalogue", path, "--title", "\x1b]0;x\x07", capsys=capsys)
    assert code == 0
    assert not {"\x1b", "\x07", "\r", "\x9b", "\u202e"} & set(out + err)
    assert "[red]" in out


def test_pick_asks(library, capsys, monkeypatch):
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("2\n"))
    code, out, err = run("title", "--catalogue", library, "--interactive", "--json", capsys=capsys)
    assert code == 0
    assert "Which one is 'title'?" in err
    second = next(line for line in err.splitlines() if line.startswith("  2  "))
    first = json.loads(out)["tracks"][0]
    assert second.startswith(f"  2  {first['title']} by {first['artist']}")


@pytest.mark.slow
def test_options_are_asked_for_by_options_and_kept_in_settings(library, capsys, tmp_path):
    kept = tmp_path / "mine.toml"
    asked = ["t00005", "--catalogue", library, "--json", "--quiet", "--length", 7, "--end-track", "t00050"]
    chosen = [
        "--sequencer",
        "beam",
        "--width",
        4,
        "--key-rule",
        "tonal",
        "--half-time-weight",
        0.7,
        "--energy-boost",
    ]
    chosen += [
        "--max-tempo-change",
        9,
        "--arc",
        "0.2,0.8",
        "--randomness",
        0.5,
        "--random-seed",
        3,
        "--end-key",
        "8A",
    ]
    code, first, _ = run(*asked, *chosen, "--pin", "4=t00060", "--save-settings", kept, capsys=capsys)
    result = json.loads(first)
    assert code == 0
    assert (result["tracks"][3]["id"], result["tracks"][-1]["id"]) == ("t00060", "t00050")
    assert result["mixing"] == {"key_rule": "tonal", "energy_boost": True, "half_time": 0.7, "max_bpm_change": 9} | {
        "avoid_clashes": True,
        "graded": True,
    }
    kept.write_text(kept.read_text().replace("length = 7\n", ""))
    _, again, _ = run(*asked, "--pin", "4=t00060", "--settings", kept, capsys=capsys)
    assert json.loads(again) == result


@pytest.mark.slow
def test_alternatives_are_one_object_and_files_and_what_was_had_is_left_out(library, capsys, tmp_path):
    asked = ["t00005", "--catalogue", library, "--json", "--quiet", "--length", 7]
    code, out, _ = run(*asked, "--alternatives", 2, "--output", tmp_path / "a.m3u8", capsys=capsys)
    assert code == 0
    one, two = ([track["id"] for track in result["tracks"]] for result in json.loads(out)["alternatives"])
    assert one != two
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-2.m3u8", "a.m3u8"]
    _, out, _ = run(*asked, "--exclude-playlist", tmp_path / "a.m3u8", capsys=capsys)
    assert not {track["id"] for track in json.loads(out)["tracks"][1:]} & set(one)


def test_verbs_are_found_or_named(capsys):
    assert main.main(["dance"]) == 2
    assert (
        "there is no command 'dance'; there are generate, order, lint, next, app, mcp, learn, recommend, models"
        in capsys.readouterr().err
    )
    assert main.main(["--help"]) == 0
    assert main.main([]) == 2
    assert main.main(["catalogue", "info"]) == 0
    assert "5,000 tracks" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("predictor", PREDICTORS[:2])  # the demo plays with the others
def test_real_seeds_give_a_playlist_that_flows(shared, capsys, predictor):
    songs = ["them changes thundercat", "cocoa butter kisses", "girlfriend is better"]
    where = ["--catalogue", SHARED / "tracks.parquet", "--predictor", predictor]
    code, out, _ = run(*songs, *where, "--json", capsys=capsys)
    tracks = json.loads(out)["tracks"]
    assert code == 0
    assert [t["artist"] for t in tracks[:3]] == ["Thundercat", "Chance the Rapper", "Talking Heads"]
    assert len(tracks) == 13
    # Over ten joins; random tracks have about 0.2 and 0.
    joins = [t["join"] for t in tracks[3:]]
    assert sum(j["key_similarity"] for j in joins) / 10 > 0.85
    assert sum(j["tempo_similarity"] for j in joins) / 10 > 0.85


def test_without_arguments_the_command_shows_how_to_begin(capsys):
    code, out, err = run(capsys=capsys)
    assert (code, out) == (2, "")
    assert "disco generate --example" in err
    assert len(err.splitlines()) < 12


def test_the_published_method_is_one_option_that_others_override(library, capsys):
    asked = ["t00005", "--catalogue", library, "--json", "--quiet", "--length", 3, "--published"]
    _, out, _ = run(*asked, "--sweetness", 2, capsys=capsys)
    record = json.loads(out)
    assert (record["predictor"], record["recommender"], record["sequencer"]) == ("classic", "nearest", "greedy")
    assert record["knobs"] == {"flow": 1.0, "spicyness": 1.2, "sweetness": 2.0, "smoothness": 1.0}


def test_an_interrupt_is_one_line_and_exit_code_130(library, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "make_alternatives", interrupt)
    code, out, err = run("t00005", "--catalogue", library, "--quiet", capsys=capsys)
    assert (code, out, err) == (130, "", "disco: interrupted\n")


def test_the_file_is_written_even_if_nobody_reads_the_table(library, capsys, monkeypatch, tmp_path):
    def closed(*_):
        raise BrokenPipeError

    monkeypatch.setattr("disco.export.show", closed)
    monkeypatch.setattr("disco.cli.console._discard_stdout", lambda: None)
    where = tmp_path / "list.m3u8"
    code, _, err = run("t00005", "--catalogue", library, "--quiet", "--output", where, capsys=capsys)
    assert (code, err) == (0, "")
    assert where.read_text(encoding="utf-8").startswith("#EXTM3U")


@pytest.mark.process
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is a device of Linux")
def test_a_full_disk_is_one_line_and_exit_code_1():
    command = f"{sys.executable} -m disco.generate --example --quiet > /dev/full"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "disco: standard output: No space left on device\n")


@pytest.mark.process
def test_a_reader_that_closes_the_pipe_ends_the_command_quietly():
    command = f"{sys.executable} -m disco.generate --example --quiet | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
