"""What must not reach logs, traces and recordings: credentials are replaced by ``***``, controls are escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "HIDDEN",
    "escape",
    "is_secret_header",
    "is_secret_name",
    "redact_headers",
    "redact_pairs",
    "redact_text",
    "redact_url",
]

HIDDEN = "***"

SECRET_HEADERS = frozenset(
    (
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "set-cookie2",
        "authentication-info",
        "proxy-authentication-info",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-xsrf-token",
        "x-amz-security-token",
        "x-goog-api-key",
    )
)
#: Names in queries, without ``-`` and ``_``; and how such names end.
SECRET_NAMES = frozenset(
    (
        "accesskey",
        "accesskeyid",
        "apikey",
        "auth",
        "authorization",
        "awsaccesskeyid",
        "code",
        "credential",
        "credentials",
        "jwt",
        "key",
        "passphrase",
        "passwd",
        "password",
        "pin",
        "privatekey",
        "pwd",
        "secret",
        "session",
        "sessionid",
        "sid",
        "sig",
        "sign",
        "signature",
        "subscriptionkey",
        "token",
        "xamzcredential",
    )
)
SECRET_ENDINGS = ("apikey", "credential", "password", "passwd", "secret", "secretkey", "signature", "token")


def is_secret_name(name: str) -> bool:
    """Whether a value of this name in a query or a form is a secret."""
    plain = name.lower()
    if "%" in plain:
        from urllib.parse import unquote

        plain = unquote(plain)
    plain = plain.replace("-", "").replace("_", "").replace(".", "").rstrip("[]")
    return plain in SECRET_NAMES or plain.endswith(SECRET_ENDINGS)


def is_secret_header(name: str) -> bool:
    lowered = name.lower()
    return lowered in SECRET_HEADERS or lowered.endswith(("-token", "-secret", "-api-key", "-apikey", "-password"))


def redact_pairs(query: str) -> str:
    if "=" not in query:
        return query
    pairs: list[str] = []
    for pair in query.split("&"):
        name, separator, value = pair.partition("=")
        pairs.append(f"{name}={HIDDEN}" if separator and value and is_secret_name(name) else pair)
    return "&".join(pairs)


def redact_url(url: str) -> str:
    """The URL without credentials: user information and the values of query parameters whose names say "secret"."""
    from pabal.exceptions import redact

    text, hash_mark, fragment = redact(url).partition("#")
    path, question_mark, query = text.partition("?")
    if not question_mark and not hash_mark:
        return text
    return path + question_mark + redact_pairs(query) + hash_mark + redact_pairs(fragment)


def redact_text(message: str) -> str:
    """The message with the URLs in it redacted."""
    if "://" not in message:
        return message
    import re

    return re.sub(r"[A-Za-z+]+://[^\s\]\"'<>]+", lambda found: redact_url(found.group()), message)


def redact_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The lines with the values of secret ones hidden; of Authorization the scheme is left."""
    lines: list[tuple[str, str]] = []
    for name, value in headers:
        if is_secret_header(name):
            scheme, space, _ = value.partition(" ")
            kept = scheme + space if space and name.lower().endswith("authorization") and scheme.isalnum() else ""
            lines.append((name, kept + HIDDEN))
        elif name.lower() in ("location", "content-location", "referer"):
            lines.append((name, redact_url(value)))
        else:
            lines.append((name, value))
    return lines


def escape(text: str) -> str:
    """What could forge a line or speak to a terminal is written as an escape sequence."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
