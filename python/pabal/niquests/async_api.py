"""One request without a session, to be awaited."""

from __future__ import annotations

from typing import Any

from ._constant import DEFAULT_RETRIES
from .async_session import AsyncSession

__all__ = ["delete", "get", "head", "options", "patch", "post", "put", "query", "request"]


async def request(
    method: str,
    url: Any,
    *,
    retries: Any = DEFAULT_RETRIES,
    json_encoder: Any = None,
    tls_configuration: Any = None,
    **kwargs: Any,
) -> Any:
    """Sends a request; the other options are those of ``AsyncSession.request``. What is streamed keeps its
    connection.
    """
    session = AsyncSession(retries=retries, json_encoder=json_encoder, tls_configuration=tls_configuration)
    try:
        return await session.request(method, url, **kwargs)
    finally:
        if not kwargs.get("stream"):
            await session.close()


async def get(url: Any, params: Any = None, **kwargs: Any) -> Any:
    """GET."""
    return await request("GET", url, params=params, **kwargs)


async def options(url: Any, **kwargs: Any) -> Any:
    """OPTIONS."""
    return await request("OPTIONS", url, **kwargs)


async def head(url: Any, **kwargs: Any) -> Any:
    """HEAD, which does not follow redirects unless told to."""
    kwargs.setdefault("allow_redirects", False)
    return await request("HEAD", url, **kwargs)


async def post(url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
    """POST."""
    return await request("POST", url, data=data, json=json, **kwargs)


async def put(url: Any, data: Any = None, *, json: Any = None, **kwargs: Any) -> Any:
    """PUT."""
    return await request("PUT", url, data=data, json=json, **kwargs)


async def patch(url: Any, data: Any = None, *, json: Any = None, **kwargs: Any) -> Any:
    """PATCH."""
    return await request("PATCH", url, data=data, json=json, **kwargs)


async def delete(url: Any, **kwargs: Any) -> Any:
    """DELETE."""
    return await request("DELETE", url, **kwargs)


async def query(url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
    """QUERY: a request with a body that changes nothing."""
    return await request("QUERY", url, data=data, json=json, **kwargs)
