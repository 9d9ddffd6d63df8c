"""Who the caller is: ``auth=(user, password)``, ``BasicAuth``, ``BearerAuth``, ``DigestAuth``, a callable that changes
the request, or an auth flow (`pabal.types.AuthFlow`).

Authorization is sent to the origin that was asked only: the engine drops it when a redirect leads elsewhere. A mapping
of places to such is asked again there, and each host is told what is meant for it.
"""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING

from pabal._body import text_bytes
from pabal._engine import DigestAuth, PlacedAuth, entry_for
from pabal.exceptions import InvalidArgument

if TYPE_CHECKING:
    from typing import Any

    from pabal._request import Request

#: The methods that make an auth flow.
FLOWS = ("auth_flow", "sync_auth_flow", "async_auth_flow")

__all__ = ["BasicAuth", "BearerAuth", "DigestAuth", "basic_credentials", "by_place"]


def _raw(value: object, what: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str or bytes, not {type(value).__name__}")
    return text_bytes(value, what)


def basic_credentials(username: str | bytes, password: str | bytes) -> str:
    """The value of Authorization for RFC 7617 (text is sent as UTF-8)."""
    user, secret = _raw(username, "the user name in auth"), _raw(password, "the password in auth")
    if b":" in user:
        raise ValueError("the user name in auth must not hold a colon (RFC 7617 section 2)")
    if any(byte < 0x20 or byte == 0x7F for byte in user + secret):
        raise ValueError("user name and password in auth must not hold control characters (RFC 7617 section 2)")
    return "Basic " + b2a_base64(user + b":" + secret, newline=False).decode("ascii")


class BasicAuth:
    """RFC 7617. ``auth=("user", "password")`` is the same."""

    __slots__ = ("_password", "_value", "username")

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self.username = username
        self._password = password
        self._value = basic_credentials(username, password)

    def __call__(self, request: Request) -> Request:
        request.headers["Authorization"] = self._value
        return request

    @property
    def parts(self) -> tuple[str | bytes, str | bytes]:
        """(user, password)"""
        return (self.username, self._password)

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
        if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"the token of BearerAuth must be str, not {type(token).__name__}")
        if not token or any(not "!" <= character <= "~" for character in token):
            raise ValueError("the token of BearerAuth must be visible ASCII characters, at least one (RFC 6750)")
        self._token = token

    @property
    def token(self) -> str:
        return self._token

    def __call__(self, request: Request) -> Request:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "BearerAuth('***')"

    def __eq__(self, other: object) -> bool:
        return self._token == other._token if isinstance(other, BearerAuth) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._token)


# --- by place ---------------------------------------------------------------------------------------------------------


def by_place(places: dict[str, Any], url: str) -> tuple[Any, PlacedAuth]:
    """A mapping for a request to ``url``: (what Python code applies there, or None; what the engine asks everywhere).

    Callables and auth flows run before a request is sent, so that they are for the host that is asked first; the engine
    finds nothing at their places.
    """
    known = PlacedAuth({place: _known(auth) for place, auth in places.items()})
    own = entry_for(places, url)
    return (own if _known(own) is None else None), known


def _known(auth: Any) -> Any:
    """What the engine can apply by itself: a DigestAuth, (user, password), a token; None for what is Python's."""
    if auth is None or isinstance(auth, DigestAuth):
        return auth
    if isinstance(auth, BasicAuth):
        return auth.parts
    if isinstance(auth, BearerAuth):
        return auth.token
    if isinstance(auth, (tuple, list)):
        pair: list[Any] = list(auth)  # pyright: ignore[reportUnknownArgumentType]
        if len(pair) != 2:
            raise InvalidArgument("auth= as a tuple is (user, password)")
        return tuple(pair)
    if callable(auth) or any(hasattr(auth, name) for name in FLOWS):
        return None
    raise InvalidArgument(
        f"auth= must be (user, password), a DigestAuth, a callable, an auth flow or a mapping of hosts to them, "
        f"not {type(auth).__name__}"
    )
