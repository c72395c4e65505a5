"""What a file is that is neither a table nor a list of tracks, by its content, and what to export instead."""

from __future__ import annotations

import re

_STARTS = (
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"%PDF", "a PDF; export the list as CSV"),
    (b"{\\rtf", "a document (RTF); save it as plain text"),
    (b"\xd0\xcf\x11\xe0", "an old document of Microsoft Office; save it as CSV"),
    (b"SQLite format 3\0", "an SQLite database of a program that is not known"),
    (b"bplist00", "a binary property list; export the library as XML"),
    (b"ID3", "a sound file; name its folder"),
    (b"fLaC", "a sound file; name its folder"),
    (b"OggS", "a sound file; name its folder"),
    (b"RIFF", "a sound file; name its folder"),
    (b"7z\xbc\xaf", "a packed file (7z); unpack it"),
    (b"Rar!", "a packed file (RAR); unpack it"),
    (b"BZh", "a packed file (bzip2) of something else than a table"),
    (b"\x1f\x8b", "a packed file (gzip) of something else than a table"),
)
_ZIPS = (
    (b"xl/", "a workbook of Excel; save it as CSV"),
    (b"Index/", "a document of Numbers or Pages; export it as CSV"),
    (b"word/", "a document of Word; save the list as plain text or CSV"),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "a spreadsheet (ODS); save it as CSV"),
    (b"mimetypeapplication/vnd.oasis", "a document (OpenDocument); save it as CSV"),
)


def what_it_is(start: bytes) -> str | None:
    """What a file is, and what to do instead, by its first bytes; None if that is not known.

    Examples
    --------
    >>> what_it_is(b"%PDF-1.7")
    'a PDF; export the list as CSV'
    >>> what_it_is(b"<!doctype html><html>"), what_it_is(b"Night Bus")
    ('a web page; export the list as CSV, not the page', None)
    """
    for sign, what in _STARTS:
        if start.startswith(sign):
            return what
    if start.startswith(b"PK\x03\x04"):
        return next((what for sign, what in _ZIPS if sign in start), "a zip file without tables of tracks; unpack it")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"<!doctype html|<html", text, re.IGNORECASE):
        return "a web page; export the list as CSV, not the page"
    if text.startswith(b"<"):
        return "XML, but no library or playlist that DISCO reads"
    if re.match(rb"[{\[]\s*[\"{\[\]}]", text):
        return "JSON, but no playlist that DISCO reads; export CSV, or M3U8, instead"
    return None
