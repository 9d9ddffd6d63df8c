"""``Request``: what is about to be sent, for ``auth=`` callables; and what was sent, as ``response.request``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pabal import _engine
from pabal._engine import Headers

if TYPE_CHECKING:
    from pabal._body import AsyncBody, Body
    from pabal.types import HeaderInput

__all__ = ["Request"]


class Request:
    """A request as it goes to the server.

    An ``auth=`` callable is given one after everything else was worked into it, and may change any attribute:

        def sign(request):
            request.headers["X-Signature"] = signature_of(request.method, request.url, request.body)

        session.get(url, auth=sign)
    """

    __slots__ = ("body", "headers", "method", "url")

    #: The method, in upper case.
    method: str
    #: The URL with its query.
    url: str
    #: All headers that are known before sending (the engine still adds Host, Content-Length and Cookie).
    headers: Headers
    #: None, bytes, or an object that is read while it is sent.
    body: bytes | Body | AsyncBody | None

    def __init__(
        self,
        method: str,
        url: str,
        headers: Headers | HeaderInput | None = None,
        body: bytes | Body | AsyncBody | None = None,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body

    @property
    def path_url(self) -> str:
        """The path with the query, as in the first line of the request."""
        from urllib.parse import urlsplit

        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def __repr__(self) -> str:
        return f"<Request [{self.method}]>"


_engine.set_request_class(Request)
