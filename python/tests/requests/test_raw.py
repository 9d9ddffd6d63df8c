"""``response.raw`` and streaming: bytes as they came, or decoded; connections that go back when they are done."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

import pytest
from pabal import requests
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]
TEXT = b"pabal " * 5000
PACKED = gzip.compress(TEXT)


def answering(connection: Connection) -> None:
    while request := connection.read_request():
        if request.target == "/gzip":
            connection.answer(PACKED, "200 OK", "Content-Encoding: gzip")
        elif request.target == "/chunked":
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in (b"one\n", b"two\n", b"three"):
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                time.sleep(0.05)
            connection.send(b"0\r\n\r\n")
        elif request.target == "/broken":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            return
        else:
            connection.answer(TEXT)


def test_raw_bytes_are_as_they_came(scripted: Start) -> None:
    response = requests.get(scripted(answering).url + "/gzip", stream=True)
    assert response.raw.read(10) == PACKED[:10]
    assert response.raw.read() == PACKED[10:]
    assert response.raw.read() == b""
    assert response.raw.closed


def test_raw_bytes_decoded(scripted: Start) -> None:
    url = scripted(answering).url + "/gzip"
    assert requests.get(url, stream=True).raw.read(12, decode_content=True) == TEXT[:12]
    response = requests.get(url, stream=True)
    response.raw.decode_content = True
    assert response.raw.data == TEXT
    assert b"".join(requests.get(url, stream=True).iter_content(1000)) == TEXT
    assert requests.get(url).content == TEXT


def test_chunks_are_handed_on_as_they_arrive(scripted: Start) -> None:
    response = requests.get(scripted(answering).url + "/chunked", stream=True)
    assert list(response.iter_content(None)) == [b"one\n", b"two\n", b"three"]
    response = requests.get(scripted(answering).url + "/chunked", stream=True)
    assert list(response.iter_lines(decode_unicode=False)) == [b"one", b"two", b"three"]


def test_a_connection_is_used_again_once_its_body_was_read(scripted: Start) -> None:
    server = scripted(answering)
    with requests.Session() as session:
        for _ in range(3):
            response = session.get(server.url, stream=True)
            assert b"".join(response.iter_content(4096)) == TEXT
            session.post(server.url, data={"a": "b"})
    assert server.connections == 1


def test_closing_the_session_does_not_cut_a_stream(scripted: Start) -> None:
    with requests.Session() as session:
        response = session.get(scripted(answering).url, stream=True)
    assert response.content == TEXT


def test_a_body_that_breaks_off(scripted: Start) -> None:
    url = scripted(answering).url + "/broken"
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url)
    response = requests.get(url, stream=True)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        list(response.iter_content(2))


def test_a_stream_is_read_once(scripted: Start) -> None:
    response = requests.get(scripted(answering).url, stream=True)
    list(response.iter_content(4096))
    with pytest.raises(requests.exceptions.StreamConsumedError):
        response.iter_content()
    with pytest.raises(RuntimeError):
        response.content  # noqa: B018
