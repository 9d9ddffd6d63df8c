"""Who the caller is: ``auth=(user, password)``, ``BasicAuth``, ``BearerAuth``, ``DigestAuth``, a callable that changes
the request, or an auth flow (`pabal.types.AuthFlow`).

Authorization is sent to the origin that was asked only: the engine drops it when a redirect leads elsewhere.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING

from pabal._engine import DigestAuth

if TYPE_CHECKING:
    from pabal._request import Request

__all__ = ["BasicAuth", "BearerAuth", "DigestAuth", "basic_credentials"]


def basic_credentials(username: str | bytes, password: str | bytes) -> str:
    """The value of Authorization for RFC 7617 (text is sent as UTF-8)."""
    user = username.encode("utf-8") if isinstance(username, str) else username
    secret = password.encode("utf-8") if isinstance(password, str) else password
    if b":" in user:
        raise ValueError("a user name for basic authentication must not hold a colon (RFC 7617 section 2)")
    return "Basic " + b2a_base64(user + b":" + secret, newline=False).decode("ascii")


class BasicAuth:
    """RFC 7617. ``auth=("user", "password")`` is the same."""

    __slots__ = ("_value", "username")

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self.username = username
        self._value = basic_credentials(username, password)

    def __call__(self, request: Request) -> Request:
        request.headers["Authorization"] = self._value
        return request

    def __repr__(self) -> str:
        return f"BasicAuth({self.username!r}, '***')"

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, BasicAuth) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)


class BearerAuth:
    """RFC 6750: ``Authorization: Bearer TOKEN``."""

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Request) -> Request:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "BearerAuth('***')"

    def __eq__(self, other: object) -> bool:
        return self._token == other._token if isinstance(other, BearerAuth) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._token)
