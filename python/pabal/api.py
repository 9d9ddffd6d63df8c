"""One request without a session: ``pabal.get(url)`` and its kin.

Each call has a session of its own, so that no cookie of one is sent with another. Who asks the same server twice is
served better by a `Session`, which keeps the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pabal.session import Session

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from pabal.response import Response
    from pabal.types import RequestOptions, StreamOptions, UrlInput

__all__ = ["delete", "get", "head", "options", "patch", "post", "put", "request", "stream"]


def request(method: str, url: UrlInput, **options: Unpack[RequestOptions]) -> Response:
    """Sends a request and returns its response.

    params
        Added to the query: a mapping or pairs.
    headers, cookies
        Sent with the request.
    data, json, content, files
        The body: a form; JSON; bytes, a file or an iterable of bytes as they are; files in a multipart form.
    auth
        ``(user, password)``, `BasicAuth`, `BearerAuth`, `DigestAuth`, a callable that changes the request, or an auth
        flow.
    timeout
        Seconds for all of it, or a `Timeout`.
    allow_redirects
        Whether to follow redirects; True but for HEAD.
    max_redirects
        More than these are an error; 30 unless the session says otherwise.
    verify, cert
        Whom to trust, and who we are: see `pabal.types`.
    proxy, proxies
        One proxy for everything, or a mapping as in requests: see `pabal.types`. Without them the environment's count.
    retries
        When what failed is sent again: a number, or a `Retry`.
    stream
        Return when the head has arrived; read the body with ``iter_bytes`` or its kin.
    """
    session = Session()
    response = session.request(method, url, **options)
    if not options.get("stream"):
        session.close()
    return response  # a streamed one keeps the session alive until it was read


def get(url: UrlInput, **options: Unpack[RequestOptions]) -> Response:
    """GET; for the options see `request`."""
    return request("GET", url, **options)


def post(url: UrlInput, **options: Unpack[RequestOptions]) -> Response:
    """POST; for the options see `request`."""
    return request("POST", url, **options)


def put(url: UrlInput, **options: Unpack[RequestOptions]) -> Response:
    """PUT; for the options see `request`."""
    return request("PUT", url, **options)


def patch(url: UrlInput, **options: Unpack[RequestOptions]) -> Response:
    """PATCH; for the options see `request`."""
    return request("PATCH", url, **options)


def delete(url: UrlInput, **options: Unpack[RequestOptions]) -> Response:
    """DELETE; for the options see `request`."""
    return request("DELETE", url, **options)


def head(url: UrlInput, **options: Unpack[RequestOptions]) -> Response:
    """HEAD, which does not follow redirects unless told to; for the options see `request`."""
    options.setdefault("allow_redirects", False)
    return request("HEAD", url, **options)


def options(url: UrlInput, **options: Unpack[RequestOptions]) -> Response:
    """OPTIONS; for the options see `request`."""
    return request("OPTIONS", url, **options)


def stream(method: str, url: UrlInput, **options: Unpack[StreamOptions]) -> Response:
    """``with pabal.stream("GET", url) as response:`` returns with the head; the body is read in the block."""
    return Session().stream(method, url, **options)
