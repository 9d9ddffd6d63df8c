"""One request without a session: each call has a session of its own, so that no cookie of one goes with another."""

from __future__ import annotations

from typing import Any

from . import sessions
from ._constant import DEFAULT_RETRIES

__all__ = ["delete", "get", "head", "options", "patch", "post", "put", "query", "request"]


def request(
    method: str,
    url: Any,
    *,
    retries: Any = DEFAULT_RETRIES,
    json_encoder: Any = None,
    tls_configuration: Any = None,
    **kwargs: Any,
) -> Any:
    """Sends a request and returns its response; the other options are those of ``Session.request``."""
    with sessions.Session(retries=retries, json_encoder=json_encoder, tls_configuration=tls_configuration) as session:
        return session.request(method, url, **kwargs)


def get(url: Any, params: Any = None, **kwargs: Any) -> Any:
    """GET."""
    return request("GET", url, params=params, **kwargs)


def options(url: Any, **kwargs: Any) -> Any:
    """OPTIONS."""
    return request("OPTIONS", url, **kwargs)


def head(url: Any, **kwargs: Any) -> Any:
    """HEAD, which does not follow redirects unless told to."""
    kwargs.setdefault("allow_redirects", False)
    return request("HEAD", url, **kwargs)


def post(url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
    """POST."""
    return request("POST", url, data=data, json=json, **kwargs)


def put(url: Any, data: Any = None, *, json: Any = None, **kwargs: Any) -> Any:
    """PUT."""
    return request("PUT", url, data=data, json=json, **kwargs)


def patch(url: Any, data: Any = None, *, json: Any = None, **kwargs: Any) -> Any:
    """PATCH."""
    return request("PATCH", url, data=data, json=json, **kwargs)


def delete(url: Any, **kwargs: Any) -> Any:
    """DELETE."""
    return request("DELETE", url, **kwargs)


def query(url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
    """QUERY: a request with a body that changes nothing."""
    return request("QUERY", url, data=data, json=json, **kwargs)
