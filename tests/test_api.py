"""The same over JSON: four verbs with the fields of the library, answers of `--json`, sentences on what is wrong."""

from __future__ import annotations

import inspect
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from helpers.documents import ROOT, named_catalogue

import disco
from disco.app.play import Music, music_of
from disco.errors import DiscoError

pytest.importorskip("fastapi")
pytest.importorskip("dash_mantine_components")

from helpers.page import serving

from disco.app.verbs import VERBS
from disco.sources.files import tables

VERB = {verb.path: verb for verb in VERBS}
FUNCTIONS = {"playlists": disco.make, "order": disco.reorder, "next": disco.next_tracks}
SCHEMAS = {"playlists": "playlist", "order": "playlist", "next": "next", "search": "search"}
TRACKS = ["demo-00001", "demo-00002", "demo-00003", "demo-00004"]
REQUESTS: dict[str, Any] = {
    "playlists": {"seeds": TRACKS[:2], "length": 4, "minutes": None, "pin": {"5": "demo-00009"}, "bpm": [60, 190]},
    "order": {"tracks": [*TRACKS, {"title": "Own", "artist": "Me", "key": "8A", "tempo_bpm": 120.5}], "arc": "peak"},
    "next": {"tracks": TRACKS[:1], "n": 3, "include": ["key=8A,9A,8B,7A"]},
    "search": {"text": "sunday night", "n": 3},
}


@pytest.fixture(scope="module")
def music() -> Music:
    return music_of(disco.open())


def validated(path: str, answer: Any) -> Any:
    schema = json.loads((ROOT / f"docs/reference/{SCHEMAS[path]}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(answer, schema)
    return answer


@pytest.mark.parametrize("path", VERB)
def test_an_answer_is_the_object_of_json_and_notes(path: str, music: Music) -> None:
    answer = validated(path, VERB[path].answer(music, REQUESTS[path]))
    assert answer["tracks"]
    assert isinstance(answer["notes"], list)


def test_a_playlist_is_the_one_that_the_library_makes(music: Music) -> None:
    answer = VERB["playlists"].answer(music, {"seeds": TRACKS[:2], "length": 6, "sweetness": 3, "arc": [0.2, 0.9]})
    made = disco.make(music.catalogue, TRACKS[:2], length=6, sweetness=3, arc=[0.2, 0.9])
    assert {name: answer[name] for name in answer if name != "notes"} == made.to_dict()


def test_an_order_is_the_one_that_the_library_finds(music: Music) -> None:
    answer = VERB["order"].answer(music, {"tracks": TRACKS, "together": [TRACKS[1:3]], "smoothness": 2})
    found = disco.reorder(music.catalogue, TRACKS, together=[TRACKS[1:3]], smoothness=2)
    assert {name: answer[name] for name in answer if name != "notes"} == found.to_dict()


def test_a_list_may_bring_keys_and_tempos_of_its_own(music: Music) -> None:
    tracks = [{"title": f"Own {i}", "key": i, "mode": 0, "tempo_bpm": 120 + i} for i in (0, 6, 7, 1)]
    answer = validated("order", VERB["order"].answer(music, {"tracks": tracks}))
    keys = [track["key"] for track in answer["tracks"]]
    assert sorted(keys) == [0, 1, 6, 7]
    assert {abs(keys[1] - keys[0]), abs(keys[3] - keys[2])} <= {6, 7, 5}


def test_what_was_guessed_is_noted(music: Music, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "disco")
    answer = VERB["next"].answer(music, {"tracks": ["sunday night"], "n": 2})
    assert any("asked for 'sunday night', took" in note and "--" not in note for note in answer["notes"])


def test_a_search_without_an_answer_notes_it(music: Music) -> None:
    answer = validated("search", VERB["search"].answer(music, {"text": "xyzzyqw"}))
    assert answer["tracks"] == []
    assert "nothing is found for 'xyzzyqw'" in answer["notes"][0]


@pytest.mark.parametrize("path", FUNCTIONS)
def test_fields_have_the_defaults_of_the_parameters_and_each_is_described(path: str) -> None:
    parameters = inspect.signature(FUNCTIONS[path]).parameters
    fields = {name: field for name, field in VERB[path].request.model_fields.items() if name in parameters}
    assert len(fields) > 15
    for name, field in VERB[path].request.model_fields.items():
        assert field.description, name
        if name in parameters and parameters[name].kind is inspect.Parameter.KEYWORD_ONLY:
            assert field.default == parameters[name].default, name


@pytest.mark.parametrize("path", FUNCTIONS)
def test_no_field_reads_files_of_the_server_or_searches_without_end(path: str) -> None:
    fields = set(VERB[path].request.model_fields)
    assert not fields & {"exclude_playlist", "predictor", "recommender", "iterations", "seconds", "choose"}


WRONG = [
    ("playlists", {"lenght": 3}, "there is no field 'lenght'; did you mean 'length'?"),
    ("playlists", {"seeds": TRACKS, "length": "5"}, "length must be a whole number, not '5'"),
    ("playlists", {"seeds": TRACKS, "length": True}, "length must be a whole number, not True"),
    ("playlists", {"seeds": TRACKS, "length": 301}, "length must be from 0 to 300, not 301"),
    ("playlists", {"seeds": TRACKS, "candidates": 10**6}, "candidates must be from 1 to 1000"),
    ("playlists", {"seeds": TRACKS * 26}, "seeds is too long: at most 100 entries"),
    ("playlists", {"seeds": ["a" * 301]}, "seeds is too long: at most 300 characters"),
    ("playlists", {"seeds": TRACKS, "sequencer": "magic"}, "there is no sequencer 'magic'; there are greedy"),
    ("playlists", {"seeds": TRACKS, "bpm": [1]}, "bpm must be text or a list of numbers, not"),
    ("playlists", {"seeds": TRACKS, "key_rule": 3}, "there is no key_rule 3; there are fifths"),
    ("playlists", {}, "name a song or two in seeds, or give a title"),
    ("playlists", {"seeds": ["xyzzyqw"]}, "no track found for 'xyzzyqw'"),
    ("playlists", {"seeds": TRACKS, "arc": "up"}, "'up' is no arc"),
    ("playlists", [], "send one JSON object"),
    ("order", {}, "the field 'tracks' is missing: the tracks of the playlist"),
    ("order", {"tracks": []}, "the playlist has no tracks"),
    ("order", {"tracks": ["a"] * 2001}, "tracks is too long: at most 2,000 entries"),
    ("order", {"tracks": [{"titel": "One"}]}, "an entry of tracks has no field 'titel'"),
    ("order", {"tracks": [{"title": "One", "tempo_bpm": -3}]}, "tracks must be a list of tracks, not one with"),
    ("next", {"tracks": TRACKS, "n": 0}, "n must be from 1 to 100, not 0"),
    ("search", {"text": 3}, "text must be text, not 3"),
    ("search", {"text": "a", "n": 10**400}, "n must be from 1 to 100, not 1000"),
]


@pytest.mark.parametrize(("path", "sent", "sentence"), WRONG)
def test_what_is_wrong_is_one_sentence(path: str, sent: Any, sentence: str, music: Music) -> None:
    with pytest.raises(DiscoError) as refused:
        VERB[path].answer(music, sent)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 800


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("api") / "tracks.parquet"
    tables.write(named_catalogue(), path)
    with serving((str(path),)) as found:
        yield found


def post(address: str, path: str, **sent: Any) -> Any:
    import requests

    return requests.post(f"{address}/v1/{path}", timeout=60, **sent)


@pytest.mark.network
def test_the_examples_of_the_document_are_answered(address: str) -> None:
    text = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    commands = [shlex.split(line) for line in re.findall(r"^curl .*$", text, re.MULTILINE)]
    assert {command[1].rpartition("/")[2] for command in commands} == set(VERB)
    for _, where, _, sent in commands:
        path = where.rpartition("/")[2]
        answer = post(address, path, json=json.loads(sent))
        assert answer.status_code == 200, answer.text
        assert validated(path, answer.json())["tracks"]


@pytest.mark.network
@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (b'{"text": "a"}', "text/plain", "send JSON, with the header content-type: application/json"),
        (b'{"text": ', "application/json", "what was sent is no JSON"),
        (b"[" * 200_000, "application/json", "what was sent is no JSON: too many levels"),
        (b'{"text": "\xff"}', "application/json", "what was sent is no JSON"),
        (b"", "application/json; charset=utf-8", "what was sent is no JSON"),
    ],
)
def test_a_body_that_is_no_request_is_refused(address: str, body: bytes, kind: str, sentence: str) -> None:
    answer = post(address, "search", data=body, headers={"content-type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(sentence)


@pytest.mark.network
def test_openapi_describes_each_verb_in_one_piece(address: str) -> None:
    import requests

    described = requests.get(f"{address}/v1/openapi.json", timeout=60).json()
    assert set(described["paths"]) == {f"/v1/{path}" for path in VERB}
    assert "$ref" not in json.dumps(described)
    for path, verb in VERB.items():
        operation = described["paths"][f"/v1/{path}"]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert operation["operationId"] == verb.name
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(REQUESTS[path], schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**REQUESTS[path], "unknown": 1}, schema)
