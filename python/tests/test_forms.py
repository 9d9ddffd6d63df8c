"""Queries and forms, as requests writes them; an existing query is never touched."""

from __future__ import annotations

from typing import Any

import pytest
from pabal._forms import add_params, encode_form


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("http://h/", {"a": 1, "b": "two words"}, "http://h/?a=1&b=two+words"),
        ("http://h", {"a": "ü"}, "http://h?a=%C3%BC"),
        ("http://h/", [("a", "1"), ("a", "2")], "http://h/?a=1&a=2"),
        ("http://h/", {"a": ["1", 2, None, b"\xff"]}, "http://h/?a=1&a=2&a=%FF"),
        ("http://h/", {"a": None, "b": True}, "http://h/?b=True"),
        ("http://h/?sig=%27%3A/+", {"a": 1}, "http://h/?sig=%27%3A/+&a=1"),
        ("http://h/?", {"a": 1}, "http://h/?a=1"),
        ("http://h/?x&", {"a": 1}, "http://h/?x&a=1"),
        ("http://h/#top?", {"a": 1}, "http://h/?a=1#top?"),
        ("http://h/", "raw=%20&y", "http://h/?raw=%20&y"),
        ("http://h/", b"raw=1", "http://h/?raw=1"),
        ("http://h/", {}, "http://h/"),
        ("http://h/?keep", {"a": None}, "http://h/?keep"),
        ("http://h/", {"a": ()}, "http://h/"),
        ("http://h/", {b"a": b"b"}, "http://h/?a=b"),
        ("http://h/", {"a": (x for x in "12")}, "http://h/?a=1&a=2"),
    ],
)
def test_params(url: str, params: Any, expected: str) -> None:
    assert add_params(url, params) == expected


def test_the_sessions_params_come_first() -> None:
    assert add_params("http://h/", {"key": 1}, {"q": 2}) == "http://h/?key=1&q=2"


@pytest.mark.parametrize("bad", [["a"], [("a", 1, 2)], [1], "ab"])
def test_what_are_no_pairs_is_named(bad: Any) -> None:
    with pytest.raises(TypeError, match="data must be a mapping or"):
        encode_form(bad)


def test_a_form() -> None:
    assert encode_form({"a": "1&2", "b": "\n"}) == "a=1%262&b=%0A"
