"""Query strings and urlencoded forms, as requests writes them (application/x-www-form-urlencoded)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from typing import Any

    from pabal.types import Params

__all__ = ["add_params", "encode_form", "form_pairs", "split_pair"]

# Input comes from people: everything is looked at before it is believed, hence Any.


def form_pairs(fields: Any, what: str) -> list[tuple[str | bytes, str | bytes]]:
    """Flattens a mapping or pairs: None values are left out, iterables repeat their name, numbers become text."""
    items = fields.items() if hasattr(fields, "items") else fields
    pairs: list[tuple[str | bytes, str | bytes]] = []
    for item in items:
        name, value = split_pair(item, what)
        if value is None:
            continue
        values: Any = value if _is_several(value) else (value,)
        pairs += [(_text(name), _text(one)) for one in values if one is not None]
    return pairs


def split_pair(item: Any, what: str) -> tuple[Any, Any]:
    """(name, value), or a sentence that tells what was found instead."""
    if not isinstance(item, (str, bytes)):
        try:
            name, value = item
            return name, value
        except (TypeError, ValueError):
            pass
    raise TypeError(f"{what} must be a mapping or (name, value) pairs, found {item!r}")


def _is_several(value: object) -> bool:
    return not isinstance(value, (str, bytes)) and hasattr(value, "__iter__")


def _text(value: Any) -> str | bytes:
    return value if isinstance(value, (str, bytes)) else str(value)


def encode_form(fields: Any, what: str = "data") -> str:
    """``a=1&b=two+words``"""
    return urlencode(form_pairs(fields, what))


def add_params(url: str, *several: Params | None) -> str:
    """The URL with parameters appended to its query; what it had already is kept to the letter."""
    added: list[str] = []
    for params in several:
        if params is None:
            continue
        if isinstance(params, bytes):
            text = params.decode("utf-8")
        elif isinstance(params, str):
            text = params
        else:
            text = encode_form(params, "params")
        if text:
            added.append(text)
    if not added:
        return url
    head, mark, fragment = url.partition("#")
    joint = "?" if "?" not in head else "" if head.endswith(("?", "&")) else "&"
    return head + joint + "&".join(added) + mark + fragment
