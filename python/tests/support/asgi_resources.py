"""What servers of ASGI answer the tests with: the resources of python/tests/judges/gopeer/serve.go."""

from __future__ import annotations

import hashlib
from typing import Any

QUOTE = b'{"symbol":"BTC","price":123.45}'


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return

    async def head(status: int, *fields: tuple[bytes, bytes], trailers: bool = False) -> None:
        await send({"type": "http.response.start", "status": status, "headers": fields, "trailers": trailers})

    async def content(body: bytes = b"", more: bool = False) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": more})

    path: str = scope["path"]
    digest, size, more = hashlib.sha256(), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        digest.update(message.get("body", b""))
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    if path == "/price":
        await head(200, (b"content-type", b"application/json"))
        await content(QUOTE)
    elif path == "/count":
        await head(200)
        await content(f"{scope['method']}|{size}|{digest.hexdigest()}|".encode())
    elif path.startswith("/bytes/"):
        left = int(path.removeprefix("/bytes/"))
        await head(200, (b"content-length", str(left).encode()))
        while left > 0 and scope["method"] != "HEAD":
            await content(b"p" * min(left, 65536), more=True)
            left -= min(left, 65536)
        await content()
    elif path == "/trailers":
        await head(200, (b"trailer", b"checksum"), trailers=True)
        await content(b"body")
        await send({"type": "http.response.trailers", "headers": [(b"checksum", b"4")]})
    elif path == "/broken":
        await head(200, (b"content-length", b"100"))
        await content(b"half", more=True)
        raise RuntimeError("the test asked for it")
    else:
        await head(404)
        await content()
