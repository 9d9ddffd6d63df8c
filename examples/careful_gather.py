"""Gather many URLs with limits, and tell failures apart by whose fault they are.

python examples/careful_gather.py http://127.0.0.1:8000/price http://127.0.0.1:1/ ftp://nowhere/
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import pabal
from pabal import exceptions


async def outcome(session: pabal.AsyncSession, url: str) -> str:
    """One word or two on how it went."""
    try:
        response = await session.get(url)
        response.raise_for_status()
    except pabal.RequestTimeout as error:
        return f"timed out in phase {error.phase}"
    except exceptions.CertificateError as error:
        return f"certificate: {error.code}"
    except pabal.PabalError as error:
        return f"{type(error).__name__}, fault of the {error.whose}"
    return f"{len(response.content)} bytes"


async def main(urls: list[str]) -> None:
    limits = pabal.Limits(max_connections=200, max_connections_per_host=20)
    async with pabal.AsyncSession(limits=limits, timeout=pabal.Timeout(15, connect=3)) as session:
        outcomes = await asyncio.gather(*[outcome(session, url) for url in urls])
    for text, count in Counter(outcomes).most_common():
        print(f"{count:6}  {text}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
