"""``where()``: the bundle of trusted roots that this face names by default."""

from __future__ import annotations

import os

__all__ = ["where"]

_SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def where() -> str:
    """The path of a bundle: certifi's where it is installed, else the system's.

    Connections are verified by the engine against the system's roots; this is for programs that want a file.
    """
    try:
        from certifi import where as bundle
    except ImportError:
        return next((path for path in _SYSTEM if os.path.exists(path)), _SYSTEM[0])
    return bundle()


if __name__ == "__main__":
    print(where())
