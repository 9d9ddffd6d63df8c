"""Query strings and urlencoded forms, as requests writes them (application/x-www-form-urlencoded)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pabal.exceptions import InvalidArgument

if TYPE_CHECKING:
    from typing import Any

    from pabal.types import Params

__all__ = ["add_params", "each_item", "encode_form", "form_pairs", "split_pair"]

# Input comes from people: everything is looked at before it is believed, hence Any.


def form_pairs(fields: Any, what: str) -> list[tuple[str | bytes, str | bytes]]:
    """Flattens a mapping or pairs: None values are left out, iterables repeat their name, numbers become text."""
    pairs: list[tuple[str | bytes, str | bytes]] = []
    for item in each_item(fields, what):
        name, value = split_pair(item, what)
        if value is None:
            continue
        values: Any = value if _is_several(value) else (value,)
        pairs += [(_text(name), _text(one)) for one in values if one is not None]
    return pairs


def each_item(given: Any, what: str) -> Any:
    """What a mapping or an iterable holds, or a sentence that tells what was found instead."""
    items = given.items() if hasattr(given, "items") else given
    if isinstance(items, (str, bytes)) or not hasattr(items, "__iter__"):
        raise TypeError(f"{what} must be a mapping or (name, value) pairs, found {items!r}")
    return items


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
    pairs = form_pairs(fields, what)
    try:
        return urlencode(pairs)
    except UnicodeEncodeError:
        raise InvalidArgument(f"{what} holds a lone surrogate, which UTF-8 cannot carry") from None


def _verbatim(params: str | bytes) -> str:
    """A query as it is to be sent."""
    try:
        text = params.decode("utf-8") if isinstance(params, bytes) else params
        text.encode("utf-8")
    except UnicodeError:
        raise InvalidArgument("params as text must be UTF-8, without lone surrogates") from None
    if any(character < " " or character == "\x7f" for character in text):
        raise InvalidArgument("params as text must not hold control characters; a mapping has them escaped")
    return text


def add_params(url: str, *several: Params | None) -> str:
    """The URL with parameters appended to its query; what it had already is kept to the letter."""
    added: list[str] = []
    for params in several:
        if params is None:
            continue
        text = _verbatim(params) if isinstance(params, (str, bytes)) else encode_form(params, "params")
        if text:
            added.append(text)
    if not added:
        return url
    head, mark, fragment = url.partition("#")
    joint = "?" if "?" not in head else "" if head.endswith(("?", "&")) else "&"
    return head + joint + "&".join(added) + mark + fragment
