"""Headers: an ordered mapping that ignores case and keeps repeated lines."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest
from pabal import Headers
from pabal.exceptions import InvalidHeader


def test_it_is_a_mapping_that_ignores_case() -> None:
    headers = Headers({"Content-Type": "text/plain", "X-A": "1"})
    assert isinstance(headers, MutableMapping)
    assert headers["content-TYPE"] == "text/plain"
    assert "CONTENT-type" in headers
    assert headers.get("nothing") is None
    assert headers.get("nothing", "x") == "x"
    assert list(headers) == ["Content-Type", "X-A"]
    assert len(headers) == 2
    with pytest.raises(KeyError):
        headers["nothing"]
    del headers["x-a"]
    assert dict(headers) == {"Content-Type": "text/plain"}
    with pytest.raises(KeyError):
        del headers["x-a"]


def test_repeated_lines_are_kept() -> None:
    headers = Headers([("Set-Cookie", "a=1"), ("X", "y"), ("set-cookie", "b=2")])
    assert headers["set-cookie"] == "a=1, b=2"
    assert headers.get_list("SET-COOKIE") == ["a=1", "b=2"]
    assert headers.get_list("nothing") == []
    assert list(headers.items()) == [("Set-Cookie", "a=1"), ("X", "y"), ("set-cookie", "b=2")]
    assert headers.raw == [(b"Set-Cookie", b"a=1"), (b"X", b"y"), (b"set-cookie", b"b=2")]
    headers["SET-cookie"] = "c=3"
    assert headers.get_list("set-cookie") == ["c=3"]
    headers.add("Set-Cookie", "d=4")
    assert headers.get_list("set-cookie") == ["c=3", "d=4"]


def test_update_pop_and_copy() -> None:
    headers = Headers()
    headers.update({"A": "1", "B": "2"})
    copy = headers.copy()
    assert headers.pop("a") == "1"
    assert headers.setdefault("B", "3") == "2"
    assert dict(copy) == {"A": "1", "B": "2"}
    assert Headers(copy).raw == copy.raw


def test_comparison() -> None:
    assert Headers({"a": "1"}) == Headers({"A": "1"})
    assert Headers({"a": "1"}) == {"A": "1"}
    assert Headers({"a": "1"}) != Headers({"a": "2"})


def test_values_are_latin1() -> None:
    headers = Headers({"A": "é", "B": b"\xe9"})
    assert headers.raw == [(b"A", b"\xe9"), (b"B", b"\xe9")]
    assert headers["b"] == "é"


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "é", "a\0"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(InvalidHeader):
        Headers()[name] = "x"


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "\x7f", "€"])
def test_values_that_would_be_something_else(value: str) -> None:
    with pytest.raises(ValueError):
        Headers()["a"] = value
    with pytest.raises(ValueError):
        Headers({"a": value})


@pytest.mark.parametrize("value", [5, None, object()])
def test_values_must_be_text(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Headers()["a"] = value
