"""pabal's engine under the real requests."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from support.scripted import Connection, ScriptedServer

Start = Callable[..., ScriptedServer]


@pytest.fixture
def session() -> Iterator[Any]:
    from pabal.adapters import RequestsAdapter

    with requests.Session() as made:
        made.mount("http://", RequestsAdapter())
        made.mount("https://", RequestsAdapter())
        yield made


def answering(connection: Connection) -> None:
    while request := connection.read_request():
        if request.target == "/moved":
            connection.answer(b"", "302 Found", "Location: /gzip", "Set-Cookie: a=1")
        elif request.target == "/gzip":
            connection.answer(gzip.compress(b"hello"), "200 OK", "Content-Encoding: gzip")
        elif request.target == "/broken":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            return
        else:
            connection.answer(request.body)


def test_requests_over_the_engine(scripted: Start, session: Any) -> None:
    server = scripted(answering)
    response = session.get(server.url + "/moved")
    assert type(response) is requests.Response
    assert (response.text, response.history[0].status_code) == ("hello", 302)
    assert session.cookies.get_dict() == {"a": "1"}
    assert session.post(server.url, json={"a": 1}).json() == {"a": 1}
    assert b"".join(session.get(server.url + "/gzip", stream=True).iter_content(2)) == b"hello"
    assert server.connections == 1


def test_it_fails_as_requests_does(scripted: Start, session: Any) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get("http://127.0.0.1:1/")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(scripted(answering).url + "/broken")
    with pytest.raises(requests.exceptions.ProxyError):
        session.get(scripted(answering).url, proxies={"http": "http://127.0.0.1:1"})
