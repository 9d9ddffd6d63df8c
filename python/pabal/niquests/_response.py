"""``Response``: as in requests, and what it says of its connection."""

# Names with an underscore that programs import, or that faces share, are no strangers here.
# pyright: reportPrivateUsage=false
from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from pabal.requests import _response as _shared
from pabal.requests.packages.urllib3.response import version_number

from ._connection_info import ConnectionInfo, TransferProgress, note_version
from ._lines import LineDecoder, check_delimiter
from ._oheaders import Headers
from .cookies import cookiejar_from_dict
from .exceptions import StreamConsumedError
from .structures import CaseInsensitiveDict
from .utils import get_encoding_from_headers

__all__ = ["CONTENT_CHUNK_SIZE", "ITER_CHUNK_SIZE", "REDIRECT_STATI", "Response"]

REDIRECT_STATI = _shared.REDIRECT_STATI
CONTENT_CHUNK_SIZE = _shared.CONTENT_CHUNK_SIZE
#: As it arrives.
ITER_CHUNK_SIZE = -1


class Response(_shared.Response):
    """The server's answer. One of an ``AsyncSession`` is of this class too, unless it is streamed."""

    trailers: Any
    download_progress: TransferProgress | None

    def __init__(self) -> None:
        super().__init__()
        self.cookies = cookiejar_from_dict({})
        self.trailers = CaseInsensitiveDict()
        self.download_progress = None

    def __repr__(self) -> str:
        version = self.http_version
        if version is None:
            return f"<Response Dummy [{self.status_code}]>"
        return f"<Response HTTP/{version / 10} [{self.status_code}]>"

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *args: object) -> None:
        self.close()

    # --- what it says -------------------------------------------------------------------------------------------------

    @property
    def lazy(self) -> bool:
        """Whether the answer is still to come. It never is: ``multiplexed=True`` is answered when it is asked."""
        return False

    def _gather(self) -> None:
        """There is nothing left to wait for."""

    @property
    def content(self) -> Any:
        """The whole body as bytes; None of what became a stream of events."""
        if "_content" not in self.__dict__ or self._content is not False or self.extension is None:
            return super().content
        return None

    @property
    def http_version(self) -> int | None:
        """20 for HTTP/2, 11 for HTTP/1.1, 10 for HTTP/1.0; None for what never was on a wire."""
        native = self.__dict__.get("_native")
        if native is not None:
            return version_number(native.http_version)
        return getattr(self.raw, "version", None) or None

    @property
    def conn_info(self) -> ConnectionInfo | None:
        """What is known of the connection."""
        return getattr(self.request, "conn_info", None)

    @property
    def ocsp_verified(self) -> bool | None:
        """None: revocation is not looked at yet."""
        return getattr(self.request, "ocsp_verified", None)

    @property
    def extension(self) -> Any:
        """What the connection became by the server's leave (a stream of events, of an application in this process)."""
        return getattr(self.raw, "extension", None)

    @property
    def oheaders(self) -> Headers:
        """The headers as objects."""
        lines = getattr(self.raw, "headers", None) or self.headers
        return Headers(lines.items())

    @property
    def otrailers(self) -> Headers:
        """The trailers as objects."""
        return Headers(self.trailers.items())

    def raise_for_status(self) -> Any:
        """Raises ``HTTPError`` for 4xx and 5xx; returns the response otherwise."""
        super().raise_for_status()
        return self

    # --- body ---------------------------------------------------------------------------------------------------------

    def iter_content(self, chunk_size: int | None = -1, decode_unicode: bool = False) -> Iterator[Any]:
        """The body in pieces of ``chunk_size`` bytes (-1: as it arrives), as text if wanted."""
        return super().iter_content(None if chunk_size == -1 else chunk_size, decode_unicode)

    def _stream(self, chunk_size: int | None) -> Generator[bytes, None, None]:
        yield from super()._stream(chunk_size)
        self._take_trailers()

    def _take_trailers(self) -> None:
        trailers = getattr(self.raw, "trailers", None)
        if trailers is not None:
            self.trailers = CaseInsensitiveDict(trailers)

    def iter_raw(self, chunk_size: int = -1) -> Generator[bytes, None, None]:
        """The body as it came over the wire, content codings and all."""
        if self._content_consumed and isinstance(self._content, bool):
            raise StreamConsumedError
        size = None if chunk_size == -1 else chunk_size
        if self._content_consumed:
            yield from super().iter_content(size)
            return
        while piece := self.raw.read1(size, decode_content=False):
            yield piece
        self._content_consumed = True

    def iter_lines(
        self, chunk_size: int | None = ITER_CHUNK_SIZE, decode_unicode: bool = False, delimiter: Any = None
    ) -> Iterator[Any]:
        """The body line by line, each as soon as it has arrived."""
        check_delimiter(delimiter, decode_unicode)
        lines = LineDecoder(delimiter)
        for piece in self.iter_content(chunk_size=chunk_size, decode_unicode=decode_unicode):
            yield from lines.decode(piece)
        held = lines.flush()
        if held is not None:
            yield held


def _request_of(response: Any, native: Any) -> Any:
    request = response.__dict__["_asked"].prepared()
    note_version(request, version_number(native.http_version))
    return request


def _cookies_of(response: Any, native: Any) -> Any:
    from .cookies import extract_cookies_to_jar

    jar = cookiejar_from_dict({})
    if "set-cookie" in native.headers:
        extract_cookies_to_jar(jar, response.request, response.raw)
    return jar


def _progress_of(response: Any, native: Any) -> TransferProgress:
    made = TransferProgress()
    made.total = len(native.content)
    made.content_length = made.total
    made.is_completed = True
    return made


_makers: dict[str, Callable[[Any, Any], Any]] = {
    **vars(_shared.Response)["_makers"],
    "request": _request_of,
    "cookies": _cookies_of,
    "encoding": lambda response, native: get_encoding_from_headers(native.headers),
    "trailers": lambda response, native: CaseInsensitiveDict(native.trailers),
    "download_progress": _progress_of,
}
Response._makers = _makers
