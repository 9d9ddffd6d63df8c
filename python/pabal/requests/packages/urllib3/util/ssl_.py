"""Names about TLS that programs touch; the engine's TLS is not steered by them."""

from __future__ import annotations

import ssl
from typing import Any

__all__ = ["DEFAULT_CIPHERS", "HAS_SNI", "SSLContext", "create_urllib3_context"]

DEFAULT_CIPHERS = "DEFAULT"
HAS_SNI = True
IS_PYOPENSSL = False
IS_SECURETRANSPORT = False
SSLContext = ssl.SSLContext


def create_urllib3_context(*_: Any, cert_reqs: Any = None, ciphers: str | None = None, **__: Any) -> ssl.SSLContext:
    """A context of the ssl module. Of one given to ``PoolManager`` only verification and trust are taken over."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if cert_reqs == ssl.CERT_NONE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ciphers and ciphers != DEFAULT_CIPHERS:
        context.set_ciphers(ciphers)
    return context
