"""Key and tempo in every field that programs write them into, in every kind of tag."""

from __future__ import annotations

import struct

import pytest

from disco.errors import DataError
from disco.sources import audio
from disco.sources.audio.tags import read_tags

SOUND = (b"\xff\xfb\x90\x00" + bytes(413)) * 39


def sized(number: int) -> bytes:
    return bytes((number >> shift) & 127 for shift in (21, 14, 7, 0))


def id3(fields: dict[str, str]) -> bytes:
    """An ID3v2.3 tag: frames by their four letters, any other name as TXXX."""
    frames = b""
    for name, text in fields.items():
        is_frame = len(name) == 4 and name.isupper() and name[0] == "T"
        body = b"\x03" + (b"" if is_frame else name.encode() + b"\0") + text.encode()
        frames += (name.encode() if is_frame else b"TXXX") + struct.pack(">IH", len(body), 0) + body
    return b"ID3\x03\x00\x00" + sized(len(frames)) + frames


def apev2(fields: dict[str, str], header: bool = True) -> bytes:
    items = b"".join(
        struct.pack("<II", len(text.encode()), 0) + name.encode() + b"\0" + text.encode()
        for name, text in fields.items()
    )

    def edge(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, len(fields), flags) + bytes(8)

    return (edge(0xA0000000) if header else b"") + items + edge(0x80000000)


def chunk(name: bytes, body: bytes, order: str) -> bytes:
    return name + struct.pack(f"{order}I", len(body)) + body + b"\0" * (len(body) % 2)


def mp3(fields: dict[str, str]) -> bytes:
    return id3(fields) + SOUND


def mp3_with_ape(fields: dict[str, str]) -> bytes:
    return SOUND + apev2(fields)


def mp3_with_ape_and_id3v1(fields: dict[str, str]) -> bytes:
    return SOUND + apev2(fields) + b"TAG" + bytes(125)


def wav(fields: dict[str, str]) -> bytes:
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16), "<")
    body = b"WAVE" + form + chunk(b"data", bytes(16000), "<") + chunk(b"id3 ", id3(fields), "<")
    return chunk(b"RIFF", body, "<")


def aiff(fields: dict[str, str]) -> bytes:
    rate = b"\x40\x0b\xfa\x00\x00\x00\x00\x00\x00\x00"  # 8000 as 80-bit float
    common = chunk(b"COMM", struct.pack(">hIh", 1, 8000, 16) + rate, ">")
    body = b"AIFF" + common + chunk(b"ID3 ", id3(fields), ">") + chunk(b"SSND", bytes(8 + 16000), ">")
    return chunk(b"FORM", body, ">")


def vorbis(fields: dict[str, str]) -> bytes:
    lines = [f"{name}={text}".encode() for name, text in fields.items()]
    return (
        struct.pack("<I", 0)
        + struct.pack("<I", len(lines))
        + b"".join(struct.pack("<I", len(line)) + line for line in lines)
    )


def flac(fields: dict[str, str]) -> bytes:
    packed = (44100 << 44) | (0 << 41) | (15 << 36) | 44100
    stream = struct.pack(">HH", 4096, 4096) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    comment = vorbis(fields)
    return (
        b"fLaC"
        + b"\0"
        + len(stream).to_bytes(3, "big")
        + stream
        + b"\x84"
        + len(comment).to_bytes(3, "big")
        + comment
        + bytes(64)
    )


def atom(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def mp4(fields: dict[str, str]) -> bytes:
    items = b""
    for name, text in fields.items():
        if name == "tmpo":
            items += atom(b"tmpo", atom(b"data", struct.pack(">IIH", 21, 0, int(text))))
            continue
        parts = atom(b"mean", bytes(4) + b"com.apple.iTunes") + atom(b"name", bytes(4) + name.encode())
        items += atom(b"----", parts + atom(b"data", struct.pack(">II", 1, 0) + text.encode()))
    header = atom(b"mvhd", bytes(12) + struct.pack(">II", 1000, 1000) + bytes(80))
    meta = atom(b"meta", bytes(4) + atom(b"hdlr", bytes(25)) + atom(b"ilst", items))
    return atom(b"ftyp", b"M4A \0\0\0\0") + atom(b"moov", header + atom(b"udta", meta))


KINDS = {
    "a.mp3": (mp3, ("TKEY", "KEY", "INITIALKEY", "Initial key", "initial_key", "CAMELOT"), ("TBPM", "BPM", "fBPM")),
    "b.mp3": (mp3_with_ape, ("initialkey", "KEY", "Initial Key"), ("BPM", "fBPM", "Tempo")),
    "c.mp3": (mp3_with_ape_and_id3v1, ("InitialKey", "key"), ("bpm",)),
    "d.wv": (mp3_with_ape, ("InitialKey", "key"), ("bpm",)),
    "e.ape": (mp3_with_ape, ("InitialKey", "key"), ("bpm",)),
    "f.wav": (wav, ("TKEY", "KEY", "Initial key"), ("TBPM", "fBPM")),
    "g.aiff": (aiff, ("TKEY", "KEY", "Initial key"), ("TBPM", "fBPM")),
    "h.flac": (flac, ("INITIALKEY", "KEY", "initial key"), ("BPM", "TEMPO", "TBPM")),
    "i.m4a": (mp4, ("initialkey", "KEY", "Initial key"), ("tmpo", "BPM")),
}
CASES = [(name, key, tempo) for name, (_, keys, tempos) in KINDS.items() for key in keys for tempo in tempos]


@pytest.mark.parametrize(("name", "key", "tempo"), CASES)
def test_every_field_of_key_and_tempo_is_read(name, key, tempo, tmp_path):
    where = tmp_path / name
    where.write_bytes(KINDS[name][0]({key: "F#m", tempo: "126"}))
    tags = read_tags(where)
    assert (tags.key, tags.tempo_bpm) == ((6, 0), 126)


@pytest.mark.parametrize(
    ("text", "tempo", "odd", "scaled"),
    [
        ("12850", 128.5, "", "12850"),
        ("1285", 128.5, "", "1285"),
        ("9250", 92.5, "", "9250"),
        ("17400", 174.0, "", "17400"),
        ("124,5", 124.5, "", ""),
        ("124 BPM", 124.0, "", ""),
        ("128.00", 128.0, "", ""),
        ("0", None, "", ""),
        ("0.00", None, "", ""),
        ("fast", None, "fast", ""),
        ("3500", None, "3500", ""),
        ("1285000", None, "1285000", ""),
    ],
)
def test_a_tempo_times_a_hundred_or_ten_is_read_and_reported_and_an_odd_one_too(text, tempo, odd, scaled, tmp_path):
    where = tmp_path / "a.mp3"
    where.write_bytes(mp3({"TBPM": text, "TIT2": "Salt"}))
    tags = read_tags(where)
    assert (tags.tempo_bpm, tags.odd_tempo, tags.scaled_tempo) == (tempo, odd, scaled)
    notes = " ".join(audio.read(tmp_path, sound=False).notes)
    assert ("tempos taken as unknown: " + repr(odd) in notes) == bool(odd)
    assert (f"tempos read as hundredths or tenths: {scaled}" in notes) == bool(scaled)


def test_an_exact_tempo_counts_beside_the_same_rounded_and_not_beside_another(tmp_path):
    where = tmp_path / "a.mp3"
    where.write_bytes(mp3({"TBPM": "128", "fBPM": "127.53"}))
    assert read_tags(where).tempo_bpm == 127.53
    where.write_bytes(mp3({"TBPM": "128", "fBPM": "64.01"}))
    assert read_tags(where).tempo_bpm == 128


def test_what_the_usual_field_says_comes_before_apev2(tmp_path):
    where = tmp_path / "a.mp3"
    where.write_bytes(id3({"TKEY": "8A", "TIT2": "One"}) + SOUND + apev2({"KEY": "1A", "Title": "Two", "BPM": "90"}))
    tags = read_tags(where)
    assert (tags.title, tags.key, tags.tempo_bpm) == ("One", (9, 0), 90)


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"EnergyLevel": "7"}, 0.7),
        ({"ENERGYLEVEL": "10"}, 1.0),
        ({"EnergyLevel": "52"}, None),
        ({"Energy": "x"}, None),
    ],
)
def test_energy_of_a_tag_is_that_of_the_track_where_nothing_was_measured(fields, level, tmp_path):
    (tmp_path / "a.mp3").write_bytes(mp3({**fields, "TIT2": "Salt"}))
    row = audio.read(tmp_path, sound=False).table.to_pylist()[0]
    assert row["energy"] == (None if level is None else pytest.approx(level))
    assert row["feature_set"] == (None if level is None else "comment")


def test_kinds_that_are_not_read_are_named_in_a_folder_and_alone(tmp_path):
    (tmp_path / "a.mp3").write_bytes(mp3({"TIT2": "Salt"}))
    (tmp_path / "b.dsf").write_bytes(b"DSD " + bytes(100))
    (tmp_path / "c.wv").write_bytes(b"wvpk" + bytes(100))
    notes = " ".join(audio.read(tmp_path, sound=False).notes)
    assert "1 left out, of a kind whose tags are not read (.dsf): b.dsf" in notes
    assert "1 left out, without APEv2 tags, which alone are read of its kind (.wv): c.wv" in notes
    with pytest.raises(DataError, match=r"of a kind whose tags are not read \(.dsf\)"):
        audio.read(tmp_path / "b.dsf")


@pytest.mark.parametrize("size", [0, 31, 33, 2**31, 2**32 - 1])
def test_a_lying_apev2_tag_ends_at_once(size, tmp_path):
    where = tmp_path / "a.mp3"
    tag = bytearray(SOUND + apev2({"KEY": "8A"}))
    tag[-20:-16] = struct.pack("<I", size)
    tag[-16:-12] = b"\xff" * 4
    where.write_bytes(bytes(tag))
    assert read_tags(where).key is None


def test_in_flac_what_it_says_itself_comes_before_a_foreign_tag(tmp_path):
    where = tmp_path / "a.flac"
    where.write_bytes(id3({"TIT2": "Track01", "TPE1": "Nobody"}) + flac({"TITLE": "Salt", "ARTIST": "Dot"}))
    tags = read_tags(where)
    assert (tags.title, tags.artists[0]) == ("Salt", "Dot")


def test_one_file_that_is_not_read_is_refused_by_what_it_is(tmp_path):
    (tmp_path / "a.mp3").touch()
    with pytest.raises(DataError, match=r"a\.mp3: is not read: it is empty$"):
        audio.read(tmp_path / "a.mp3")
