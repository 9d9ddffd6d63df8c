"""``python -m niquests.help``: what a bug report should say."""

from __future__ import annotations

import json
import sys
from typing import Any

from pabal.requests import help as _shared
from pabal.requests.help import charset_normalizer as charset_normalizer
from pabal.requests.help import idna as idna

from .__version__ import __version__ as niquests_version

__all__ = ["info", "main"]


def info() -> dict[str, Any]:
    """Versions of everything that takes part."""
    shared = _shared.info()
    for theirs in ("requests", "using_pyopenssl", "using_charset_normalizer", "pyOpenSSL", "chardet", "cryptography"):
        shared.pop(theirs, None)
    return {
        **shared,
        "idna": {"version": getattr(idna, "__version__", "N/A")},
        "niquests": {"version": niquests_version},
        "http1": {"pabal": shared["pabal"]["version"]},
        "http2": {},
        "http3": {"enabled": False},
        "ocsp": {"enabled": False},
        "websocket": {"enabled": False},
    }


def main() -> None:
    """Prints it as JSON."""
    json.dump(info(), sys.stdout, sort_keys=True, indent=2)
    print()


if __name__ == "__main__":
    main()
