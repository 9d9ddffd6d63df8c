"""One request without a session: each call has a session of its own, so that no cookie of one goes with another."""

from __future__ import annotations

from typing import Any

from . import sessions
from .models import Response

__all__ = ["delete", "get", "head", "options", "patch", "post", "put", "request"]


def request(method: str, url: str | bytes, **kwargs: Any) -> Response:
    """Sends a request and returns its response; the options are those of ``Session.request``."""
    with sessions.Session() as session:
        response: Response = session.request(method=method, url=url, **kwargs)
        return response


def get(url: str | bytes, params: Any = None, **kwargs: Any) -> Response:
    """GET."""
    return request("get", url, params=params, **kwargs)


def options(url: str | bytes, **kwargs: Any) -> Response:
    """OPTIONS."""
    return request("options", url, **kwargs)


def head(url: str | bytes, **kwargs: Any) -> Response:
    """HEAD, which does not follow redirects unless told to."""
    kwargs.setdefault("allow_redirects", False)
    return request("head", url, **kwargs)


def post(url: str | bytes, data: Any = None, json: Any = None, **kwargs: Any) -> Response:
    """POST."""
    return request("post", url, data=data, json=json, **kwargs)


def put(url: str | bytes, data: Any = None, **kwargs: Any) -> Response:
    """PUT."""
    return request("put", url, data=data, **kwargs)


def patch(url: str | bytes, data: Any = None, **kwargs: Any) -> Response:
    """PATCH."""
    return request("patch", url, data=data, **kwargs)


def delete(url: str | bytes, **kwargs: Any) -> Response:
    """DELETE."""
    return request("delete", url, **kwargs)
