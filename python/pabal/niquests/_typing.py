"""The place where ``niquests.typing`` was before it was public."""

from __future__ import annotations

from .typing import *  # noqa: F403
from .typing import __all__ as __all__
