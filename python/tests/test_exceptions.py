"""The exception tree: every error of the engine has its place, says whose fault it is, and keeps secrets."""

from __future__ import annotations

import errno
import json
import pickle
import re
from pathlib import Path

import pabal
import pytest
from pabal import exceptions
from pabal.exceptions import BY_CODE, TIMEOUT_BY_PHASE, PabalError, from_engine, redact

HEADER = Path(__file__).parents[2] / "include/pabal/error.hpp"


def names_in(enumeration: str) -> list[str]:
    body = re.search(rf"enum class {enumeration}[^{{]*{{(.*?)}};", HEADER.read_text(), re.DOTALL)
    assert body is not None
    return re.findall(r"\w+", re.sub(r"//.*", "", body[1]))


def test_every_code_of_the_engine_has_its_exception() -> None:
    assert sorted(BY_CODE) == sorted(names_in("error_code"))


def test_every_phase_that_can_time_out_has_its_exception() -> None:
    assert sorted(TIMEOUT_BY_PHASE) == sorted(set(names_in("phase")) - {"none", "prepare"})


@pytest.mark.parametrize("code", BY_CODE)
def test_what_the_engine_says_is_in_the_exception(code: str) -> None:
    error = from_engine(code, "connect", "network", errno.ECONNREFUSED, "it failed", "http://u:p@h/x", "GET")
    assert isinstance(error, (BY_CODE[code], exceptions.ConnectTimeout))
    assert (error.code, error.phase, error.whose, error.errno) == (code, "connect", "network", errno.ECONNREFUSED)
    assert error.request is not None
    assert (error.request.method, error.request.url) == ("GET", "http://***@h/x")
    assert error.url == "http://***@h/x"
    assert str(error) == "it failed (GET http://***@h/x)"


def test_the_request_is_named_once() -> None:
    error = from_engine("body_incomplete", "read", "peer", 0, "it broke [GET http://h/x]", "http://u:p@h/x", "GET")
    assert error.message == "it broke"
    assert str(error) == "it broke (GET http://***@h/x)"


@pytest.mark.parametrize("phase", TIMEOUT_BY_PHASE)
def test_a_timeout_names_its_phase(phase: str) -> None:
    error = from_engine("timed_out", phase, "network", 0, "too slow", "http://h/")
    assert type(error) is TIMEOUT_BY_PHASE[phase]
    assert error.phase == phase
    assert isinstance(error, (pabal.RequestTimeout, TimeoutError))


def test_builtin_exceptions_catch_them_too() -> None:
    assert issubclass(exceptions.InvalidURL, ValueError)
    assert issubclass(exceptions.InvalidHeader, ValueError)
    assert issubclass(exceptions.ConnectError, ConnectionError)
    assert issubclass(exceptions.ConnectionRefused, ConnectionRefusedError)
    assert issubclass(exceptions.ConnectionReset, ConnectionResetError)
    assert issubclass(exceptions.RequestTimeout, TimeoutError)
    assert issubclass(exceptions.ConnectTimeout, exceptions.ConnectError)
    assert issubclass(exceptions.JSONDecodeError, json.JSONDecodeError)
    assert all(issubclass(each, OSError) for each in BY_CODE.values())


@pytest.mark.parametrize(
    "url",
    ["https://user:secret@host/p?q#f", "https://user:sec@ret@host/p", "https://secret@host", "http://a:secret@h\\@x/"],
)
def test_credentials_do_not_reach_messages(url: str) -> None:
    assert "sec" not in redact(url)
    assert "***@" in redact(url)


@pytest.mark.parametrize("url", ["https://host/a@b", "https://host/?x=a@b", "nothing", "mailto:a@b"])
def test_what_is_no_credential_stays(url: str) -> None:
    assert redact(url) == url


@pytest.mark.parametrize(
    "kind", sorted({*BY_CODE.values(), *TIMEOUT_BY_PHASE.values()}, key=lambda kind: kind.__name__)
)
def test_all_can_be_pickled(kind: type[PabalError]) -> None:
    error = kind("why", errno=5, request=exceptions.FailedRequest("PUT", "http://h/"))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__
    assert copy.errno == 5


def test_json_errors_can_be_pickled() -> None:
    error = exceptions.JSONDecodeError("Expecting value", "[1, x]", 4)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.doc, copy.pos, copy.lineno, str(copy)) == ("[1, x]", 4, 1, str(error))


def test_all_are_exported() -> None:
    defined = {
        name for name, value in vars(exceptions).items() if isinstance(value, type) and issubclass(value, OSError)
    }
    assert defined - {"OSError", "IOError"} <= set(exceptions.__all__)
    assert all(getattr(exceptions, name) for name in exceptions.__all__)
