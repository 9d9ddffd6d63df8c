"""What niquests' urllib3 has over the other: ``webextensions``."""

from __future__ import annotations

from . import webextensions

__all__ = ["webextensions"]
