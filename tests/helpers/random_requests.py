"""Random requests to the server of the page: states, uploads and calls of the API that no page would send.

    PYTHONPATH=tests python tests/helpers/random_requests.py 5000 [SEED]

prints every request that was answered with an error of the server, or with a traceback.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
import tempfile
import zipfile
from collections import Counter
from typing import Any
from urllib.parse import quote

import requests

from disco.app.state import State
from disco.app.verbs import VERBS

IDS = [f"demo-{i:05}" for i in range(1, 5001, 7)]
TEXTS = [
    *(
        "",
        " ",
        "a",
        "techno",
        "genre=techno",
        "key=8A",
        "8A",
        "118-126",
        "-5",
        "126-118",
        "1e999",
        "NaN",
        "peak",
        "wave",
    ),
    *(
        "0.2,0.9",
        "118,126,122",
        "dj",
        "listener",
        "mine",
        "published",
        "fifths",
        "camelot",
        "tonal",
        "../../etc/passwd",
    ),
    *(
        "\x00",
        "\u202e",
        "\U0001f3b5" * 50,
        "é" * 300,
        "<script>",
        "'; drop table",
        "%s%n",
        "{}",
        "x" * 5000,
        "none",
        "null",
    ),
    *(
        "1=demo-00001",
        "5=",
        "=",
        "0=a",
        "1-4,6-10",
        "spotify:track:4uLU6hMCjMI75M1A2tKUQC",
        "sunday night",
        "2:00-6:30",
    ),
]
NUMBERS = [
    0,
    1,
    -1,
    2,
    3,
    10,
    12,
    99,
    300,
    2000,
    0.5,
    1.2,
    -0.0,
    1e-300,
    1e300,
    -1e300,
    2**31,
    2**63,
    10**400,
    127.99,
]
FILES = {
    "a.m3u8": b"#EXTM3U\n#EXTINF:200,Attic Swimmer - Sleeping on Trains\na.mp3\n#EXTINF:x,\n/b.mp3\n",
    "a.m3u": "#EXTINF:1,Müller - Lied\nmüller.mp3\n".encode("latin-1"),
    "a.csv": b'Title,Artist,BPM,Key\nSleeping on Trains,Attic Swimmer,131,6B\n,,x,99\n"open',
    "a.tsv": b"title\tartist\n1\t2\n3\n",
    "a.json": b'{"tracks": [{"id": "demo-00001", "title": "One"}, {"title": null}, 3], "name": "x"}',
    "a.jspf": b'{"playlist": {"title": "t", "track": [{"title": "One", "creator": "Me", "duration": -3}]}}',
    "a.xspf": b'<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>'
    b"<track><title>One</title></track></trackList></playlist>",
    "a.pls": b"[playlist]\nFile1=a.mp3\nTitle1=Me - One\nLength1=-1\nNumberOfEntries=9999999999\n",
    "a.xml": b'<?xml version="1.0"?><DJ_PLAYLISTS Version="1.0.0"><COLLECTION Entries="1"><TRACK TrackID="1" '
    b'Name="One" Artist="Me" AverageBpm="120" Tonality="8A"/></COLLECTION><PLAYLISTS><NODE Type="0" Name="ROOT">'
    b'<NODE Name="p" '
    b'Type="1" KeyType="0" Entries="1"><TRACK Key="1"/></NODE></NODE></PLAYLISTS></DJ_PLAYLISTS>',
    "a.nml": b'<?xml version="1.0"?><NML VERSION="19"><COLLECTION ENTRIES="1"><ENTRY TITLE="One" ARTIST="Me">'
    b'<LOCATION DIR="/:a/:" FILE="b.mp3" VOLUME="C:"/><TEMPO BPM="120"/></ENTRY></COLLECTION></NML>',
    "a.txt": b"Attic Swimmer - Sleeping on Trains\nNobody - Nothing\n\xff\xfe\n",
    "bomb.xml": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><DJ_PLAYLISTS>&c;</DJ_PLAYLISTS>',
    "outside.xml": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><DJ_PLAYLISTS>&a;</DJ_PLAYLISTS>',
    "a.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "a.db": b"SQLite format 3\x00" + bytes(100),
    "a.parquet": b"PAR1" + bytes(50) + b"PAR1",
    "nothing.csv": b"",
}


def any_value(rng: random.Random, depth: int = 0) -> Any:
    """A value of JSON, of a kind that may be wrong where it is used."""
    kind = rng.randrange(8 if depth < 2 else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind <= 2:
        return rng.choice(NUMBERS)
    if kind <= 4:
        return rng.choice([*TEXTS, *rng.choices(IDS, k=10)])
    if kind <= 6:
        return [any_value(rng, depth + 1) for _ in range(rng.choice([0, 1, 2, 3, 60]))]
    return {rng.choice([*TEXTS, "id", "title"]): any_value(rng, depth + 1) for _ in range(rng.randrange(4))}


def a_track(rng: random.Random) -> Any:
    """A track of a list, a few of its values wrong."""
    track: dict[str, Any] = {"track_id": rng.choice([*IDS, *TEXTS]), "title": rng.choice(TEXTS), "artists": ["Me"]}
    track |= {"tempo_bpm": rng.uniform(60, 180), "key": rng.randrange(12), "mode": rng.randrange(2)}
    for name in rng.sample(
        ["tempo_bpm", "key", "mode", "energy", "loudness", "title", "artists", "genres", "path"], 2
    ):
        track[name] = any_value(rng)
    return track if rng.random() < 0.95 else any_value(rng)


def a_state(rng: random.Random) -> Any:
    """What a page may hold, with a few fields that it never would."""
    if rng.random() < 0.02:
        return any_value(rng)
    state: dict[str, Any] = {"seeds": rng.choices(IDS, k=rng.randrange(1, 4)), "length": rng.choice([0, 1, 3, 8])}
    if rng.random() < 0.3:
        state["tracks"] = [a_track(rng) for _ in range(rng.choice([1, 2, 5, 12]))]
    if rng.random() < 0.3:
        state["pins"] = [[rng.choice([1, 2, 4, 5, 99]), rng.choice(IDS)] for _ in range(rng.randrange(1, 4))]
    if rng.random() < 0.2:
        state["out"] = rng.choices(IDS, k=3)
    if rng.random() < 0.2:
        known = [track.get("track_id") for track in state.get("tracks", []) if isinstance(track, dict)] or IDS[:4]
        state["together"] = [[rng.choice(known) for _ in range(2)]]
    for name in rng.sample(list(State.__dataclass_fields__), rng.choice([0, 1, 1, 2, 4])):
        state[name] = any_value(rng)
    return state


def a_file(rng: random.Random) -> tuple[str, bytes]:
    """A name and a content, mended or broken somewhere."""
    name, content = rng.choice(list(FILES)), rng.choice(list(FILES.values()))
    if rng.random() < 0.7:
        content = FILES[name]
    broken = bytearray(content)
    for _ in range(rng.choice([0, 1, 3, 20])):
        if broken:
            broken[rng.randrange(len(broken))] = rng.randrange(256)
    if rng.random() < 0.3 and broken:
        a, b = sorted(rng.choices(range(len(broken)), k=2))
        broken = broken[:a] + broken[b:] if rng.random() < 0.5 else broken[:b] + broken[a:b] * 3 + broken[b:]
    if rng.random() < 0.1:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(rng.choice(["../../x.json", "Streaming_History_Audio_2020.json", name]), bytes(broken))
        broken, name = bytearray(packed.getvalue()), "a.zip"
    return rng.choice([name, name, f"../{name}", "\x00", "x" * 400 + ".csv", rng.choice(TEXTS)]), bytes(broken)


def a_request(rng: random.Random) -> tuple[str, str, dict[str, Any]]:
    """Method, path and the rest of a request."""
    kind = rng.choices(("play", "open", "search", "choices", "names", "export", "correct", "send", "v1", "audio"),
                       (40, 20, 5, 8, 5, 8, 4, 1, 15, 3))[0]  # fmt: skip
    if kind == "open":
        name, content = a_file(rng)
        playlist = {"playlist": rng.choice(TEXTS)} if rng.random() < 0.2 else {}
        return "POST", "page/open", {"params": {"name": name, **playlist}, "data": content}
    if kind == "audio":
        return "GET", f"page/audio/{quote(rng.choice([*TEXTS, *IDS[:5]])[:1000], safe='')}", {}
    if kind == "v1":
        verb = rng.choice(VERBS)
        sent: Any = {"seeds": IDS[:2], "length": 3} if verb.path == "playlists" else {"tracks": rng.choices(IDS, k=5)}
        sent = {"text": rng.choice(TEXTS)} if verb.path == "search" else sent
        fields = list(verb.request.model_fields)
        sent |= {name: any_value(rng) for name in rng.choices(fields, k=rng.choice([0, 1, 1, 2]))}
        return "POST", f"v1/{verb.path}", {"data": json.dumps(sent), "headers": {"content-type": "application/json"}}
    sent = {
        "play": lambda: {
            "state": a_state(rng),
            "figure": rng.choice(["map", "wheel", "curves", "matrix", "path", 3]),
        },
        "search": lambda: {"text": rng.choice([*TEXTS, any_value(rng)])},
        "choices": lambda: {"state": a_state(rng), "position": rng.choice([1, 2, 3, 4, any_value(rng)])},
        "names": lambda: {"text": "\n".join(rng.choices(TEXTS, k=5))},
        "export": lambda: {
            "state": a_state(rng),
            "format": rng.choice([".m3u8", ".csv", ".xml", ".nml", ".json", "x"]),
        },
        "correct": lambda: {"id": rng.choice(IDS), "key": any_value(rng), "bpm": any_value(rng)},
        "send": lambda: {"state": a_state(rng), "to": rng.choice(["", "x", 3])},
    }[kind]()
    if rng.random() < 0.3 and isinstance(sent, dict):
        sent["before"] = True
    if rng.random() < 0.02:
        sent = any_value(rng)
    return "POST", f"page/{kind}", {"data": json.dumps(sent)}


def wrong_answers(address: str, n: int, seed: int) -> tuple[list[str], Counter[int]]:
    """Requests among n random ones whose answer is or shows an error of the server; and how many had which status."""
    rng, wrong, session = random.Random(seed), [], requests.Session()
    statuses: Counter[int] = Counter()
    for number in range(n):
        method, path, more = a_request(rng)
        if wrong and wrong[-1].startswith(f"{number - 1}:"):
            session = requests.Session()  # the server closes the connection after an error
        try:
            answer = session.request(method, f"{address}/{path}", timeout=120, **more)
        except requests.RequestException as error:
            wrong.append(f"{number}: {method} {path} {str(more)[:2000]} -> {error}")
            continue
        statuses[answer.status_code] += 1
        shown = answer.text if answer.headers.get("content-type", "").startswith("application/json") else ""
        if answer.status_code >= 500 or "Traceback" in shown or "disco-upload-" in shown:
            wrong.append(f"{number}: {method} {path} {str(more)[:2000]} -> {answer.status_code} {shown[:200]}")
        elif answer.status_code == 400 and not answer.json().get("error"):
            wrong.append(f"{number}: {method} {path} {str(more)[:2000]} -> no sentence")
    return wrong, statuses


def main() -> None:
    """Ask a server of the demo, with a folder of its own for what it keeps."""
    from helpers.page import serving

    n, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DISCO_DATA"] = os.environ["DISCO_CONFIG"] = folder
        with serving() as address:
            wrong, statuses = wrong_answers(address, n, seed)
    print("\n".join(wrong))
    print(f"{len(wrong)} of {n:,} random requests were answered with an error of the server; {dict(statuses)}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
