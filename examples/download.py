"""Download something large to a file, without holding it in memory, and show how far it is.

python examples/download.py https://example.com/large.iso large.iso
"""

from __future__ import annotations

import sys
from pathlib import Path

import pabal


def download(url: str, path: Path) -> int:
    """Returns how many bytes there were."""
    done = 0
    with pabal.stream("GET", url, timeout=pabal.Timeout(connect=5, read=30)) as response, path.open("wb") as file:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0))
        for piece in response.iter_bytes():
            file.write(piece)
            done += len(piece)
            if total:
                print(f"\r{done / total:6.1%}", end="", file=sys.stderr)
    return done


if __name__ == "__main__":
    print(f"\r{download(sys.argv[1], Path(sys.argv[2])):,} bytes")
