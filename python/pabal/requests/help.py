"""``python -m requests.help``: what a bug report should say."""

from __future__ import annotations

import importlib
import json
import platform
import sys
from typing import Any

from .__version__ import __version__ as requests_version

__all__ = ["info", "main"]


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


idna = _optional("idna")
chardet = _optional("chardet")
charset_normalizer = _optional("charset_normalizer")
OpenSSL = None
pyopenssl = None
cryptography = None


def _version(module: Any) -> dict[str, str]:
    return {"version": getattr(module, "__version__", "")}


def _implementation() -> dict[str, str]:
    return {"name": platform.python_implementation(), "version": platform.python_version()}


def info() -> dict[str, Any]:
    """Versions of everything that takes part."""
    import pabal

    return {
        "platform": {"system": platform.system(), "release": platform.release()},
        "implementation": _implementation(),
        "system_ssl": {"version": "BoringSSL"},
        "using_pyopenssl": False,
        "using_charset_normalizer": chardet is None,
        "pyOpenSSL": {"version": None, "openssl_version": ""},
        "urllib3": {"version": ""},
        "chardet": {"version": getattr(chardet, "__version__", None)},
        "charset_normalizer": {"version": getattr(charset_normalizer, "__version__", None)},
        "cryptography": {"version": ""},
        "idna": _version(idna),
        "requests": {"version": requests_version},
        "pabal": {"version": pabal.__version__},
    }


def main() -> None:
    """Prints it as JSON."""
    json.dump(info(), sys.stdout, sort_keys=True, indent=2)
    print()


if __name__ == "__main__":
    main()
