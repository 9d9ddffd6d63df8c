"""Gather prices from many URLs at once.

pabal demo --port 8000 --plain &
python examples/gather_prices.py http://127.0.0.1:8000/quotes/{BTC,ETH,SOL}
"""

from __future__ import annotations

import asyncio
import sys
from typing import TypedDict

import pabal


class Quote(TypedDict):
    """What the price server answers."""

    symbol: str
    price: float


async def gather_prices(urls: list[str]) -> list[Quote]:
    """All quotes, in the order of their URLs."""
    async with pabal.AsyncSession(timeout=10) as session:
        responses = await asyncio.gather(*[session.get(url) for url in urls])
        return [response.raise_for_status().json() for response in responses]


def main() -> None:
    for quote in asyncio.run(gather_prices(sys.argv[1:])):
        print(f"{quote['symbol']:>6} {quote['price']:>12,.2f}")


if __name__ == "__main__":
    main()
