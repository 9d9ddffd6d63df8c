"""The types that programs annotate with. Most are wide here: a face takes whatever its peer takes."""

from __future__ import annotations

import os
import typing
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, MutableMapping

from pabal.requests.structures import CaseInsensitiveDict

__all__ = [
    "ASGIApp",
    "AsyncBodyType",
    "AsyncHookCallableType",
    "AsyncHookType",
    "AsyncHttpAuthenticationType",
    "AsyncResolverType",
    "BodyFormType",
    "BodyType",
    "CacheLayerAltSvcType",
    "CaseInsensitiveDict",
    "CookiesType",
    "HeadersType",
    "HookCallableType",
    "HookType",
    "HttpAuthenticationType",
    "HttpMethodType",
    "JSONEncoderType",
    "MultiPartFilesAltType",
    "MultiPartFilesType",
    "ProxyType",
    "QueryParameterType",
    "ResolverType",
    "RetryType",
    "TLSClientCertType",
    "TLSVerifyType",
    "TimeoutType",
    "WSGIApp",
]

HttpMethodType: typing.TypeAlias = str
HeadersType: typing.TypeAlias = typing.Any
CookiesType: typing.TypeAlias = typing.Any
QueryParameterType: typing.TypeAlias = typing.Any
BodyFormType: typing.TypeAlias = typing.Any
BodyType: typing.TypeAlias = typing.Any
AsyncBodyType: typing.TypeAlias = AsyncIterable[bytes] | AsyncIterable[str]
MultiPartFilesType: typing.TypeAlias = typing.Any
MultiPartFilesAltType: typing.TypeAlias = typing.Any
HttpAuthenticationType: typing.TypeAlias = typing.Any
AsyncHttpAuthenticationType: typing.TypeAlias = typing.Any
ProxyType: typing.TypeAlias = MutableMapping[str, str] | dict[str, str]
TLSVerifyType: typing.TypeAlias = bool | str | bytes | os.PathLike[str]
TLSClientCertType: typing.TypeAlias = typing.Any
TimeoutType: typing.TypeAlias = typing.Any
RetryType: typing.TypeAlias = typing.Any
ResolverType: typing.TypeAlias = typing.Any
AsyncResolverType: typing.TypeAlias = typing.Any
CacheLayerAltSvcType: typing.TypeAlias = MutableMapping[tuple[str, int], "tuple[str, int] | None"]
JSONEncoderType: typing.TypeAlias = Callable[[typing.Any], "str | bytes"]

HookCallableType: typing.TypeAlias = Callable[..., typing.Any]
HookType: typing.TypeAlias = Mapping[str, "Iterable[HookCallableType] | HookCallableType"] | typing.Any
AsyncHookCallableType: typing.TypeAlias = Callable[..., "Awaitable[typing.Any] | typing.Any"]
AsyncHookType: typing.TypeAlias = Mapping[str, "Iterable[AsyncHookCallableType] | AsyncHookCallableType"] | typing.Any

WSGIApp: typing.TypeAlias = Callable[..., Iterable[bytes]]
ASGIApp: typing.TypeAlias = Callable[..., Awaitable[None]]
