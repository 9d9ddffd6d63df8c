"""multipart/form-data: requests' forms of files=, bytes on the wire, nothing smuggled."""

from __future__ import annotations

import io
import re
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from pabal._body import Body
from pabal._multipart import encode_multipart
from pabal.exceptions import InvalidHeader


def parts_of(fields: Any, files: Any) -> list[tuple[str, str | None, str | None, bytes]]:
    """(name, filename, content type, content), as the standard library's parser understands the form."""
    body, content_type = encode_multipart(fields, files)
    if isinstance(body, Body):
        size, whole = body.size, b""
        while piece := body.next_piece():
            whole += piece
        assert size in (None, len(whole))
        body = whole
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    found: list[tuple[str, str | None, str | None, bytes]] = []
    for part in message.get_payload():
        assert not isinstance(part, str)
        disposition = dict(part.raw_items())["Content-Disposition"].encode("utf-8", "surrogateescape").decode("utf-8")
        name = re.search(r' name="([^"]*)"', disposition)
        filename = re.search(r'filename="([^"]*)"', disposition)
        assert name is not None
        payload = part.get_payload(decode=True)
        found.append((name[1], filename[1] if filename else None, part["content-type"], payload))
    return found


def test_the_bytes() -> None:
    body, content_type = encode_multipart({"a": "1"}, {"f": ("n.txt", b"data", "text/x")}, boundary="edge")
    assert content_type == "multipart/form-data; boundary=edge"
    assert body == (
        b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--edge\r\nContent-Disposition: form-data; name="f"; filename="n.txt"\r\nContent-Type: text/x\r\n\r\ndata\r\n'
        b"--edge--\r\n"
    )


def test_every_form_of_a_file() -> None:
    files = {
        "bare": b"1",
        "text": "ü",
        "pair": ("a.json", b"2"),
        "triple": ("b", io.BytesIO(b"3"), "image/x"),
        "quadruple": ("c", b"4", "x/y", {"X-Extra": "yes"}),
        "field": (None, "5"),
        "several": [("d", b"6"), ("e", b"7")],
        "nothing": None,
    }
    assert parts_of(None, files) == [
        ("bare", "bare", "application/octet-stream", b"1"),
        ("text", "text", "application/octet-stream", "ü".encode()),
        ("pair", "a.json", "application/json", b"2"),
        ("triple", "b", "image/x", b"3"),
        ("quadruple", "c", "x/y", b"4"),
        ("field", None, None, b"5"),
        ("several", "d", "application/octet-stream", b"6"),
        ("several", "e", "application/octet-stream", b"7"),
    ]


def test_pairs_keep_their_order_and_repeat() -> None:
    assert [part[:2] for part in parts_of([("z", 1), ("z", [2, 3])], [("f", b""), ("f", ("g", b""))])] == [
        ("z", None),
        ("z", None),
        ("z", None),
        ("f", "f"),
        ("f", "g"),
    ]


def test_a_file_is_streamed_with_its_size_and_name(tmp_path: Path) -> None:
    path = tmp_path / "grün.txt"
    path.write_bytes(b"x" * 200_000)
    with path.open("rb") as file:
        body, _ = encode_multipart(None, {"f": file})
        assert isinstance(body, Body)
        assert body.size is not None
        assert body.size > 200_000
        file.seek(0)
        assert parts_of(None, {"f": file}) == [("f", "grün.txt", "text/plain", b"x" * 200_000)]


def test_quotes_are_escaped_as_browsers_do() -> None:
    assert parts_of(None, {'a"b': ('c".txt', b"")})[0][:2] == ("a%22b", "c%22.txt")


@pytest.mark.parametrize("bad", ["a\r\nX: y", "a\nb", "a\0b", "\x7f"])
def test_line_breaks_are_refused_everywhere(bad: str) -> None:
    for files in (
        {bad: b""},
        {"f": (bad, b"")},
        {"f": ("n", b"", bad)},
        {"f": ("n", b"", "t/t", {"X": bad})},
        {"f": ("n", b"", "t/t", {bad: "x"})},
    ):
        with pytest.raises(InvalidHeader, match="control character"):
            encode_multipart(None, files)
    with pytest.raises(InvalidHeader):
        encode_multipart({bad: 1}, {"f": b""})


def test_the_boundary_is_new_each_time() -> None:
    assert encode_multipart(None, {"f": b""})[1] != encode_multipart(None, {"f": b""})[1]


@pytest.mark.parametrize("bad", [{"f": 5}, {"f": ("n", object())}, [("f",)], ["ab"]])
def test_what_is_no_file_is_named(bad: Any) -> None:
    with pytest.raises(TypeError, match="files"):
        encode_multipart(None, bad)
