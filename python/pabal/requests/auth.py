"""Authentication: ``AuthBase``, basic and digest."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
import warnings
from base64 import b64encode
from typing import Any

from ._internal_utils import to_native_string
from .compat import basestring, str, urlparse
from .cookies import extract_cookies_to_jar
from .utils import parse_dict_header

__all__ = ["AuthBase", "HTTPBasicAuth", "HTTPDigestAuth", "HTTPProxyAuth"]

CONTENT_TYPE_FORM_URLENCODED = "application/x-www-form-urlencoded"
CONTENT_TYPE_MULTI_PART = "multipart/form-data"


def _basic_auth_str(username: Any, password: Any) -> str:
    """The value of Authorization (RFC 7617)."""
    parts: list[bytes] = []
    for what, value in (("username", username), ("password", password)):
        if not isinstance(value, basestring):
            warnings.warn(
                f"Non-string {what}s will no longer be supported in Requests 3.0.0. Please convert the object you've "
                f"passed in ({type(value) if what == 'password' else value!r}) to a string or bytes object in the near "
                "future to avoid problems.",
                DeprecationWarning,
                stacklevel=3,
            )
            value = str(value)
        parts.append(value.encode("latin1") if isinstance(value, str) else value)
    return "Basic " + to_native_string(b64encode(b":".join(parts)).strip())


class AuthBase:
    """A callable that is given the prepared request and returns it, changed."""

    def __call__(self, r: Any) -> Any:
        raise NotImplementedError("Auth hooks must be callable.")


class HTTPBasicAuth(AuthBase):
    """Basic authentication (RFC 7617)."""

    def __init__(self, username: Any, password: Any) -> None:
        self.username = username
        self.password = password

    def __eq__(self, other: object) -> bool:
        return bool(
            self.username == getattr(other, "username", None) and self.password == getattr(other, "password", None)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, r: Any) -> Any:
        r.headers["Authorization"] = _basic_auth_str(self.username, self.password)
        return r


class HTTPProxyAuth(HTTPBasicAuth):
    """The same towards a proxy."""

    def __call__(self, r: Any) -> Any:
        r.headers["Proxy-Authorization"] = _basic_auth_str(self.username, self.password)
        return r


_ALGORITHMS = {"MD5": hashlib.md5, "SHA": hashlib.sha1, "SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}


def _quoted(value: Any) -> str:
    """A quoted-string, its quotes and backslashes escaped; line ends have no place in one."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    text = text.replace("\r", "").replace("\n", "")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class HTTPDigestAuth(AuthBase):
    """Digest authentication (RFC 7616): answers the server's challenge, and then knows how to ask at once."""

    def __init__(self, username: Any, password: Any) -> None:
        self.username = username
        self.password = password
        self._thread_local = threading.local()

    def init_per_thread_state(self) -> None:
        """Nonces are each thread's own."""
        state = self._thread_local
        if not hasattr(state, "init"):
            state.init = True
            state.last_nonce = ""
            state.nonce_count = 0
            state.chal = {}
            state.pos = None
            state.num_401_calls = None
            state.host = None

    def build_digest_header(self, method: str, url: str) -> str | None:
        """The value of Authorization for the last challenge; None when it asks for what nobody here knows."""
        challenge = self._thread_local.chal
        realm, nonce = challenge["realm"], challenge["nonce"]
        qop, algorithm, opaque = challenge.get("qop"), challenge.get("algorithm"), challenge.get("opaque")
        name = "MD5" if algorithm is None else algorithm.upper()
        sessions = name.endswith("-SESS")
        make = _ALGORITHMS.get(name.removesuffix("-SESS"))
        if make is None:
            return None

        def digest(text: Any) -> str:
            return make(text.encode("utf-8") if isinstance(text, str) else text, usedforsecurity=False).hexdigest()

        parts = urlparse(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        secret = digest(f"{self.username}:{realm}:{self.password}")
        request = digest(f"{method}:{path}")
        state = self._thread_local
        state.nonce_count = state.nonce_count + 1 if nonce == state.last_nonce else 1
        count = f"{state.nonce_count:08x}"
        salt = f"{state.nonce_count}{nonce}{time.ctime()}".encode() + os.urandom(8)
        cnonce = hashlib.sha1(salt, usedforsecurity=False).hexdigest()[:16]
        if sessions:
            secret = digest(f"{secret}:{nonce}:{cnonce}")
        if not qop:
            answer = digest(f"{secret}:{nonce}:{request}")
        elif qop == "auth" or "auth" in re.split(r"\s*,\s*", qop):
            answer = digest(f"{secret}:{nonce}:{count}:{cnonce}:auth:{request}")
        else:  # auth-int
            return None
        state.last_nonce = nonce
        value = (
            f"username={_quoted(self.username)}, realm={_quoted(realm)}, nonce={_quoted(nonce)}, "
            f'uri={_quoted(path)}, response="{answer}"'
        )
        if opaque:
            value += f", opaque={_quoted(opaque)}"
        if algorithm:
            value += f', algorithm="{algorithm}"'
        if qop:
            value += f', qop="auth", nc={count}, cnonce="{cnonce}"'
        return f"Digest {value}"

    def handle_redirect(self, r: Any, **kwargs: Any) -> None:
        """After a redirect the next 401 is a new one."""
        if r.is_redirect:
            self._thread_local.num_401_calls = 1

    def handle_401(self, r: Any, **kwargs: Any) -> Any:
        """Sends the request again with the answer to the challenge, once. Another host's challenge is not answered."""
        state = self._thread_local
        if not 400 <= r.status_code < 500:
            state.num_401_calls = 1
            return r
        if state.pos is not None:
            r.request.body.seek(state.pos)
        challenge = r.headers.get("www-authenticate", "")
        ours = state.host is None or _may_follow(state.host, _origin(r.request.url))
        if "digest" not in challenge.lower() or state.num_401_calls >= 2 or not ours:
            state.num_401_calls = 1
            return r
        state.num_401_calls += 1
        state.chal = parse_dict_header(_digest_part(challenge))
        if state.chal.get("realm") is None or state.chal.get("nonce") is None:
            return r
        r.content  # so that the connection is free  # noqa: B018
        r.close()
        again = r.request.copy()
        extract_cookies_to_jar(again._cookies, r.request, r.raw)
        again.prepare_cookies(again._cookies)
        value = self.build_digest_header(again.method, again.url)
        if value is None:
            return r
        again.headers["Authorization"] = value
        answer = r.connection.send(again, **kwargs)
        answer.history.append(r)
        answer.request = again
        return answer

    def __call__(self, r: Any) -> Any:
        self.init_per_thread_state()
        state = self._thread_local
        state.host = _origin(r.url)
        if state.last_nonce:
            value = self.build_digest_header(r.method, r.url)
            if value is not None:
                r.headers["Authorization"] = value
        try:
            state.pos = r.body.tell()
        except AttributeError:
            state.pos = None
        r.register_hook("response", self.handle_401)
        r.register_hook("response", self.handle_redirect)
        state.num_401_calls = 1
        return r

    def __eq__(self, other: object) -> bool:
        return bool(
            self.username == getattr(other, "username", None) and self.password == getattr(other, "password", None)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlparse(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _may_follow(asked: tuple[str, str | None, int | None], now: tuple[str, str | None, int | None]) -> bool:
    """Whether credentials for one origin may go to another: the same, or the same host over TLS."""
    return asked == now or (asked[1] == now[1] and asked[::2] == ("http", 80) and now[::2] == ("https", 443))


def _digest_part(challenges: str) -> str:
    """The parameters of the first Digest among several challenges (RFC 9110 section 11.6.1)."""
    found = re.search(r"(?:^|,)\s*digest\s+", challenges, re.IGNORECASE)
    rest = challenges[found.end() :] if found else re.sub(r"(?i)digest ", "", challenges, count=1)
    following = re.search(r",\s*[A-Za-z][\w-]*\s+(?=[\w-]+\s*=|[A-Za-z0-9+/=]+\s*(?:,|$))", rest)
    return rest[: following.start()] if following else rest
