"""Settings files: what is written can be read back, and what means nothing is one clear error."""

import argparse
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disco.cli import generate, settings
from disco.errors import DataError, NotFoundError


def read(tmp_path: Path, content: str | bytes) -> dict:
    path = tmp_path / "mine.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return settings.read(path)


def test_all_settings_may_be_set_and_come_as_they_were_written(tmp_path):
    text = """
        flow = 1
        spicyness = 1.2e0
        sweetness = 0.0
        smoothness = -1
        relevance = 0.5
        length = 12
        candidates = 200
        artist_gap = 0
        max_per_artist = 2
        predictor = "classic"
        recommender = 'nearest'
        sequencer = "greedy"
        bpm = "118-126"
        duration = "2:00-6:30"
        include = ["genre=techno", "genre=house"]
        exclude = []
        explicit = false
        unplayed = true
        not_played_since = "30d"
        key_rule = "camelot"
        style = "dj"
        energy_boost = true
        half_time_weight = 0.7
        max_tempo_change = 5
        pitch = 8
        avoid_clashes = false
        arc = "peak"
        arc_weight = 2
        start_key = "8A"
        end_key = "Am"
        tempo_arc = "118,126,122"
        tempo_arc_weight = 2
        max_tempo_drift = 8
        randomness = 0.5
        random_seed = 3
        width = 8
    """
    result = read(tmp_path, text)
    assert {*result, "minutes"} == set(settings.KEYS)
    assert (result["flow"], result["spicyness"], result["explicit"]) == (1, 1.2, False)
    assert result["include"] == ["genre=techno", "genre=house"]


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xef\xbb\xbf# written by a Windows editor\r\n"])
def test_a_file_may_set_nothing(tmp_path, content):
    assert read(tmp_path, content) == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("flwo = 1", ["'flwo' is not known", "did you mean 'flow'"]),
        ("spicynes = 1", ["'spicynes' is not known", "did you mean 'spicyness'"]),
        ("artist-gap = 1", ["'artist-gap' is not known", "did you mean 'artist_gap'"]),
        ("zzz = 1", ["'zzz' is not known", "known are length, minutes, flow"]),
        ("catalogue = 'x'", ["'catalogue' is not known"]),
        ("[knobs]\nflow = 1", ["'knobs' is not known"]),
        ("flow = '1'", ["'flow' must be a number, not '1'"]),
        ("flow = true", ["'flow' must be a number"]),
        ("flow = nan", ["'flow' must be a finite number"]),
        ("max_tempo_change = 'any'", ["'max_tempo_change' must be a number, or 'none', not 'any'"]),
        ("max_tempo_change = inf", ["'max_tempo_change' must be a finite number"]),
        ("max_tempo_change = true", ["'max_tempo_change' must be a number, or none"]),
        ("minutes = inf", ["'minutes' must be a finite number"]),
        ("length = 1.5", ["'length' must be a whole number, not 1.5"]),
        ("length = 5\nminutes = 30", ["'length'", "'minutes'"]),
        ("explicit = 0", ["'explicit' must be true or false"]),
        ("include = 'genre=x'", ["'include' must be a list of texts"]),
        ("include = ['genre=x', 1]", ["'include' must be a list of texts"]),
        ("bpm = 120", ["'bpm' must be a text"]),
        ("flow = 1\nflow = 2", ["not a readable settings file"]),
        ("flow = \n", ["not a readable settings file", "line 1"]),
        ('{"flow": 1}', ["not a readable settings file", "line 1"]),
        ("include = " + "[" * 5000, ["not a readable settings file"]),
        ("length = " + "9" * 5000, ["not a readable settings file"]),
        (b"flow = 1 # \xe9", ["not a readable settings file", "utf-8"]),
        ("flow = 1".encode("utf-16"), ["not a readable settings file"]),
        (b"\x89PNG\0\0", ["not a readable settings file"]),
    ],
)
def test_what_means_nothing_is_one_sentence_that_names_file_and_key(tmp_path, content, expected):
    with pytest.raises(DataError) as error:
        read(tmp_path, content)
    assert "\n" not in str(error.value)
    for part in [str(tmp_path / "mine.toml"), *expected]:
        assert part in str(error.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"absent\.toml: there is no such file"):
        settings.read(tmp_path / "absent.toml")
    with pytest.raises(DataError, match="cannot be read"):
        settings.read(tmp_path)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
knobs = st.floats(-1e6, 1e6)
ranges = st.none() | texts


@given(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(("flow", "spicyness", "sweetness", "smoothness", "relevance"), knobs),
            **dict.fromkeys(("predictor", "recommender", "sequencer"), texts),
            **dict.fromkeys(("include", "exclude"), st.lists(texts, max_size=3)),
            **dict.fromkeys(("bpm", "duration"), ranges),
            "length": st.none() | st.integers(0, 500),
            "minutes": st.none(),
            "candidates": st.integers(1, 5000),
            **dict.fromkeys(("artist_gap", "max_per_artist"), st.integers(0, 9)),
            **dict.fromkeys(("explicit", "energy_boost", "avoid_clashes", "unplayed"), st.booleans()),
            **dict.fromkeys(("half_time_weight", "arc_weight", "tempo_arc_weight", "randomness"), knobs),
            **dict.fromkeys(("max_tempo_drift", "pitch"), st.none() | knobs),
            "max_tempo_change": st.none() | st.just("none") | knobs,
            **dict.fromkeys(("key_rule", "style"), texts),
            **dict.fromkeys(("arc", "tempo_arc", "start_key", "end_key", "not_played_since"), st.none() | texts),
            "random_seed": st.integers(0, 9),
            "width": st.none() | st.integers(1, 99),
        }
    )
)
def test_whatever_is_written_is_read_back(tmp_path_factory, values):
    result = read(tmp_path_factory.getbasetemp(), settings.as_toml(argparse.Namespace(**values)))
    values["max_tempo_change"] = "none" if values["max_tempo_change"] is None else values["max_tempo_change"]
    assert result == {key: value for key, value in values.items() if value not in (None, [])}


def test_the_command_line_goes_before_the_file_and_the_file_before_the_usual(tmp_path):
    arguments = generate.parser().parse_args(
        ["a seed", "--flow", "3", "--bpm", "118-126.5", "--include", "genre=techno"]
    )
    (tmp_path / "mine.toml").write_text(settings.as_toml(arguments))
    parser = generate.parser()
    parser.set_defaults(**settings.read(tmp_path / "mine.toml"))
    again = parser.parse_args(["another seed", "--sweetness", "0.5"])
    assert (again.flow, again.sweetness, again.bpm) == (3, 0.5, "118-126.5")
    assert again.include == ["genre=techno"]
    assert again.seeds == ["another seed"]
    assert math.isclose(again.spicyness, 1.2)


def test_settings_files_with_the_names_of_before_still_load(tmp_path):
    old = "half_time = 0.5\nmax_bpm_change = 6\nvariety = 1.0\nseed = 3\nonly = ['genre=techno']\n"
    new = {"half_time_weight": 0.5, "max_tempo_change": 6, "randomness": 1.0, "random_seed": 3}
    assert read(tmp_path, old) == {**new, "include": ["genre=techno"]}
    with pytest.raises(DataError, match="sets both 'randomness' and 'variety'"):
        read(tmp_path, "variety = 1\nrandomness = 2\n")


def test_no_limit_of_tempo_changes_is_kept_in_a_file(tmp_path):
    for options in (["--max-tempo-change", "none"], ["--published"]):
        (tmp_path / "mine.toml").write_text(settings.as_toml(generate._parse(["a seed", *options])))
        again = generate._parse(["a seed", "--settings", str(tmp_path / "mine.toml")])
        assert again.max_tempo_change == "none"
    assert generate._parse(["a seed"]).max_tempo_change == 6
    with pytest.raises(SystemExit):
        generate._parse(["a seed", "--max-tempo-change", "wide"])


OLD_OPTIONS = ["--last", "x", "--hold", "2=x", "--keep", "1-4", "--half-time", "0.5", "--max-bpm-change", "6"]
OLD_OPTIONS += ["--variety", "1", "--seed", "2", "--to", "spotify", "--fill", "t.csv", "--source", "spotify"]
OLD_OPTIONS += ["--features", "reccobeats", "--pick", "--only", "genre=house", "--spiciness", "1.1"]
NEW_OPTIONS = ["--end-track", "x", "--pin", "2=x", "--keep-positions", "1-4", "--half-time-weight", "0.5"]
NEW_OPTIONS += ["--max-tempo-change", "6", "--randomness", "1", "--random-seed", "2", "--upload-to", "spotify"]
NEW_OPTIONS += ["--enrich-from", "t.csv", "--candidates-from", "spotify", "--features-from", "reccobeats"]
NEW_OPTIONS += ["--interactive", "--include", "genre=house", "--spicyness", "1.1"]


def test_options_spelt_as_before_mean_the_same_and_are_not_in_the_help():
    parser = generate.parser()
    assert parser.parse_args(["a seed", *OLD_OPTIONS]) == parser.parse_args(["a seed", *NEW_OPTIONS])
    words = parser.format_help().split()
    assert not {option for option in OLD_OPTIONS if option.startswith("--")} & set(words)
    assert {option for option in NEW_OPTIONS if option.startswith("--")} <= set(words)
