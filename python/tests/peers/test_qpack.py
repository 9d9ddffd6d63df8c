"""The examples of RFC 9204 appendix B, sent byte for byte by aioquic: the server's table becomes what they say.

Their field sections are of few fields; what a request must have beyond them is added from the static table.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from support.clients import Exchanges, exchanges
from support.demo import Demo

GET_BY_HTTPS = bytes.fromhex("d1 d7")  # the static table's :method GET and :scheme https
TO_ECHO = bytes.fromhex("51 05") + b"/echo"  # its :path, with another value


def test_what_an_encoder_inserts_duplicates_and_evicts_is_read(tmp_path: Path) -> None:
    demo = Demo(tmp_path)

    async def echoed(connection: Exchanges, section: bytes) -> list[list[str]]:
        prefix, fields = section[:2], section[2:]
        status, content = await connection.ask_encoded(prefix + TO_ECHO + GET_BY_HTTPS + fields)
        assert status == 200, content
        return [[name.lower(), value] for name, value in json.loads(content)["headers"]]

    async def main() -> None:
        async with exchanges(demo) as connection:
            # B.1: a literal with a name of the static table
            authority = bytes.fromhex("50 0b") + b"example.com"
            first = bytes.fromhex("0000 510b 2f69 6e64 6578 2e68 746d 6c") + authority + GET_BY_HTTPS
            assert (await connection.ask_encoded(first))[0] == 404
            # B.2: a capacity, :authority and :path; a section that refers to both behind its base
            await connection.instruct(
                bytes.fromhex("3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d c10c 2f73 616d 706c 652f 7061 7468")
            )
            assert (await connection.ask_encoded(bytes.fromhex("0381 10 11") + GET_BY_HTTPS))[0] == 404
            # B.3: a field with a name of its own; B.4: :authority once more, and a section that refers to these
            await connection.instruct(bytes.fromhex("4a63 7573 746f 6d2d 6b65 790c 6375 7374 6f6d 2d76 616c 7565"))
            await connection.instruct(bytes.fromhex("02"))
            assert await echoed(connection, bytes.fromhex("0500 80 81")) == [
                ["host", "www.example.com"],
                ["custom-key", "custom-value"],
            ]
            # B.5: another value for that name, for which the oldest field has to go
            await connection.instruct(bytes.fromhex("810d 6375 7374 6f6d 2d76 616c 7565 32"))
            assert await echoed(connection, bytes.fromhex("0600 81 80 82")) == [
                ["host", "www.example.com"],
                ["custom-key", "custom-value2"],
                ["custom-key", "custom-value"],
            ]

    try:
        asyncio.run(main())
    finally:
        demo.stop()
