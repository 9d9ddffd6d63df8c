"""``urllib3.exceptions``: what the exceptions of requests carry inside, and what ``response.raw`` raises.

They are the installed urllib3's, which is imported for whoever asks here; without one, those of `_shapes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _installed, _shapes

if TYPE_CHECKING:
    from ._shapes import *  # noqa: F403

_OWN: dict[str, Any] = {
    name: kind for name, kind in vars(_shapes).items() if isinstance(kind, type) and issubclass(kind, BaseException)
}


def __getattr__(name: str) -> Any:
    own = _OWN.get(name)
    if own is None and name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    kind = getattr(_installed.found("exceptions"), name, own)
    if kind is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return kind


def __dir__() -> list[str]:
    return sorted({*globals(), *_OWN})
