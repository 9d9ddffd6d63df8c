"""Encodings, lines and links."""

from __future__ import annotations

import codecs
import itertools
import random

import pytest
from pabal._text import LineSplitter, charset_of, decode, decoder, guess_encoding, links_of


@pytest.mark.parametrize(
    ("content_type", "charset"),
    [
        ("text/html; charset=ISO-8859-1", "ISO-8859-1"),
        ('text/html;x=1; Charset="utf-8"', "utf-8"),
        ("text/html; charset=", None),
        ("text/html", None),
        (None, None),
    ],
)
def test_charset(content_type: str | None, charset: str | None) -> None:
    assert charset_of(content_type) == charset


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"", "utf-8"),
        ("grün".encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"x", "utf-8-sig"),
        ("x".encode("utf-16"), "utf-16"),
        ("x".encode("utf-32"), "utf-32"),
        (b"caf\xe9", "windows-1252"),
        (b'<meta charset="iso-8859-2">\xe9', "iso-8859-2"),
        (b'<META http-equiv=x content="text/html; charset=koi8-r">\xe9', "koi8-r"),
        (b'<?xml version="1.0" encoding="shift_jis"?>\x83\x65', "shift_jis"),
        (b'<meta charset="no-such-thing">\xe9', "windows-1252"),
        (b'<meta charset="rot13">\xe9', "windows-1252"),
    ],
)
def test_guessed_encodings(content: bytes, encoding: str) -> None:
    assert guess_encoding(content) == encoding


def test_unknown_encodings_and_bad_bytes_never_raise() -> None:
    assert decode(b"caf\xc3\xa9", "no-such-encoding") == "café"
    assert decode(b"caf\xe9", "utf-8") == "caf\N{REPLACEMENT CHARACTER}"
    assert decode(b"\x81", None)
    assert decode(b"abc", "base64") == "abc"


def test_a_character_may_be_split_between_pieces() -> None:
    text = decoder(None)
    assert "".join(text.decode(bytes([byte])) for byte in "grün€".encode()) + text.decode(b"", True) == "grün€"


def lines_of(whole: bytes, cuts: list[int], delimiter: bytes | None = None) -> list[bytes]:
    splitter = LineSplitter(b"", delimiter)
    lines: list[bytes] = []
    edges = [0, *sorted(cuts), len(whole)]
    for start, end in itertools.pairwise(edges):
        lines += splitter.feed(whole[start:end])
    return lines + list(splitter.finish())


@pytest.mark.parametrize(
    ("whole", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\r\nb\rc\n\nd", [b"a", b"b", b"c", b"", b"d"]),
        (b"a\r", [b"a"]),
        (b"\r\n\r\n", [b"", b""]),
        ("a\u2028b\x0bc\x1cd".encode(), ["a\u2028b\x0bc\x1cd".encode()]),
    ],
)
def test_lines_do_not_depend_on_where_pieces_are_cut(whole: bytes, lines: list[bytes]) -> None:
    generator = random.Random(7)
    assert lines_of(whole, []) == lines
    assert lines_of(whole, list(range(len(whole)))) == lines
    for _ in range(50):
        assert lines_of(whole, [generator.randint(0, len(whole)) for _ in range(3)]) == lines


@pytest.mark.parametrize("delimiter", [b"|", b"||", b"<end>"])
def test_a_delimiter_of_ones_own(delimiter: bytes) -> None:
    lines = [b"one", b"", b"tw\no", b"<en", b"three"]
    whole = delimiter.join(lines)
    assert lines_of(whole, [], delimiter) == lines
    assert lines_of(whole, list(range(len(whole))), delimiter) == lines
    assert lines_of(whole + delimiter, [], delimiter) == lines
    with pytest.raises(ValueError, match="delimiter"):
        LineSplitter(b"", b"")


def test_a_line_without_end_costs_linear_time() -> None:
    splitter = LineSplitter(b"")
    piece = b"x" * 1000
    for _ in range(20_000):
        assert list(splitter.feed(piece)) == []
    assert len(*splitter.finish()) == 20_000_000


@pytest.mark.parametrize(
    ("header", "links"),
    [
        ('<http://h/2>; rel="next", <http://h/9>; rel=last', {"next": "http://h/2", "last": "http://h/9"}),
        ('<http://h/?a=1,2;3>; rel="next"; title="a, b; \\"c\\""', {"next": "http://h/?a=1,2;3"}),
        ("<http://h/>", {"http://h/": "http://h/"}),
        ("", {}),
        ("nonsense", {}),
        ("<unclosed", {}),
    ],
)
def test_links(header: str, links: dict[str, str]) -> None:
    assert {relation: link["url"] for relation, link in links_of(header).items()} == links


def test_link_parameters() -> None:
    assert links_of('<u>; rel=next; title="a, \\"b\\""') == {"next": {"url": "u", "rel": "next", "title": 'a, "b"'}}
