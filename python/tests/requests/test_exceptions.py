"""Every engine exception has its name in requests' tree."""

from __future__ import annotations

import pickle
import ssl
from collections.abc import Callable

import pytest
from pabal import exceptions as native
from pabal import requests
from pabal.requests.adapters import translated
from pabal.requests.packages.urllib3.failures import shaped
from support.scripted import Connection, ScriptedServer


@pytest.mark.parametrize(
    "kind", sorted({*native.BY_CODE.values(), *native.TIMEOUT_BY_PHASE.values()}, key=lambda k: k.__name__)
)
def test_every_engine_error_is_a_request_exception(kind: type[native.PabalError]) -> None:
    error = shaped(kind("what happened"), None, "/")
    made = translated(error, None)
    assert made is None or isinstance(made, requests.RequestException)
    assert isinstance(error, requests.packages.urllib3.exceptions.HTTPError)


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        (native.CertificateExpired, 10, "certificate has expired"),
        (native.CertificateNotYetValid, 9, "certificate is not yet valid"),
        (native.CertificateSelfSigned, 18, "self-signed certificate"),
        (native.CertificateUntrusted, 20, "unable to get local issuer certificate"),
        (native.CertificateWrongHost, 62, "Hostname mismatch"),
        (native.CertificateInvalid, 1, "may not issue"),
    ],
)
def test_certificates_are_told_in_the_words_of_ssl(kind: type[native.CertificateError], code: int, words: str) -> None:
    cause = kind("it may not issue certificates")
    error = shaped(cause, None, "/")
    assert "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: " in str(error) and words in str(error)
    inner = error.args[0]
    assert isinstance(inner, ssl.SSLCertVerificationError) and inner.verify_code == code
    assert inner.__cause__ is cause


def test_a_certificate_that_nobody_trusts(scripted: Callable[..., ScriptedServer], tls_context: ssl.SSLContext) -> None:
    def never(connection: Connection) -> None:
        connection.read_request()

    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        requests.get(scripted(never, tls=tls_context).url, timeout=30)
    assert isinstance(caught.value.args[0].reason.args[0], ssl.SSLCertVerificationError)


def test_they_can_be_pickled() -> None:
    response = requests.Response()
    response._content, response._content_consumed, response.status_code = b"{", True, 200
    with pytest.raises(requests.JSONDecodeError) as caught:
        response.json()
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and isinstance(again, ValueError)
