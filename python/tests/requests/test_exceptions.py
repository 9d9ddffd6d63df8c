"""Every engine exception has its name in requests' tree."""

from __future__ import annotations

import pickle

import pytest
from pabal import exceptions as native
from pabal import requests
from pabal.requests.adapters import translated
from pabal.requests.packages.urllib3.failures import shaped


@pytest.mark.parametrize(
    "kind", sorted({*native.BY_CODE.values(), *native.TIMEOUT_BY_PHASE.values()}, key=lambda k: k.__name__)
)
def test_every_engine_error_is_a_request_exception(kind: type[native.PabalError]) -> None:
    error = shaped(kind("what happened"), None, "/")
    made = translated(error, None)
    assert made is None or isinstance(made, requests.RequestException)
    assert isinstance(error, requests.packages.urllib3.exceptions.HTTPError)


def test_they_can_be_pickled() -> None:
    response = requests.Response()
    response._content, response._content_consumed, response.status_code = b"{", True, 200
    with pytest.raises(requests.JSONDecodeError) as caught:
        response.json()
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and isinstance(again, ValueError)
