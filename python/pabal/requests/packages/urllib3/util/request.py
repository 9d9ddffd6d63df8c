"""``make_headers``: common headers by keyword."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

__all__ = ["SKIPPABLE_HEADERS", "SKIP_HEADER", "make_headers"]

#: As a header's value: leave the header out.
SKIP_HEADER = "@@@SKIP_HEADER@@@"
SKIPPABLE_HEADERS = frozenset(["accept-encoding", "host", "user-agent"])
ACCEPT_ENCODING = "gzip,deflate,br,zstd"


def make_headers(
    keep_alive: bool | None = None,
    accept_encoding: bool | list[str] | str | None = None,
    user_agent: str | None = None,
    basic_auth: str | None = None,
    proxy_basic_auth: str | None = None,
    disable_cache: bool | None = None,
) -> dict[str, str]:
    """A dict of headers."""

    def basic(pair: str) -> str:
        return "Basic " + b64encode(pair.encode("latin-1")).decode("ascii")

    codings: Any = accept_encoding
    if accept_encoding and not isinstance(accept_encoding, str):
        codings = ACCEPT_ENCODING if accept_encoding is True else ",".join(accept_encoding)
    given = {
        "accept-encoding": codings,
        "user-agent": user_agent,
        "connection": "keep-alive" if keep_alive else None,
        "authorization": basic(basic_auth) if basic_auth else None,
        "proxy-authorization": basic(proxy_basic_auth) if proxy_basic_auth else None,
        "cache-control": "no-cache" if disable_cache else None,
    }
    return {name: value for name, value in given.items() if value}
