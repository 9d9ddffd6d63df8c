#!/usr/bin/env python3
"""Turn the public suffix list into the table that src/protocol/http/public_suffix.cpp looks hosts up in.

    tools/public_suffix_table.py RULES OUTPUT

RULES is the list, with or without comments (https://publicsuffix.org/list/); OUTPUT is a piece of C++: all names of
rules in byte order, one after the other, as A-labels, and for each where it begins and what the list says of it.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

# As in public_suffix.cpp.
SUFFIX, PARENT_OF_SUFFIXES, EXCEPTION = 1, 2, 4
KIND_BITS = 3


def main(rules: Path, output: Path) -> None:
    kinds = read(rules.read_text(encoding="utf-8"))
    if len(kinds) < 1000:
        raise SystemExit(f"{rules} is not the public suffix list: it has {len(kinds)} rules")
    names = sorted(kinds)
    entries, at = [], 0
    for name in names:
        entries.append(f"{at << KIND_BITS | kinds[name]},")
        at += len(name)
    entries.append(f"{at << KIND_BITS},")  # where the last one ends
    text = f"""// Written by tools/public_suffix_table.py.
constexpr std::size_t longest_rule = {max(name.count(".") + 1 for name in names)};
constexpr char names[] =
{wrapped([f'"{piece}"' for piece in pieces("".join(names))], 1)};
constexpr std::uint32_t entries[] = {{
{wrapped(entries, 12)}}};
"""
    output.write_text(text, encoding="ascii")


def read(text: str) -> dict[str, int]:
    """What is said of each name. A rule ends at the first space; "//" begins a comment."""
    kinds: dict[str, int] = {}
    for line in text.splitlines():
        rule = line.split("//")[0].split()[0] if line.split("//")[0].strip() else ""
        if not rule:
            continue
        kind = SUFFIX
        if rule.startswith("!"):
            rule, kind = rule[1:], EXCEPTION
        elif rule.startswith("*."):
            rule, kind = rule[2:], PARENT_OF_SUFFIXES
        if "*" in rule:
            raise SystemExit(f"the rule {line!r} has a wildcard that is not its first label")
        name = ".".join(a_label(label) for label in rule.split("."))
        kinds[name] = kinds.get(name, 0) | kind
    return kinds


def a_label(label: str) -> str:
    """RFC 5890 section 2.3.2.1. The list is in lower case already; normalising makes sure."""
    label = unicodedata.normalize("NFC", label.lower())
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def pieces(text: str) -> list[str]:
    return [text[at : at + 110] for at in range(0, len(text), 110)]


def wrapped(words: list[str], per_line: int) -> str:
    lines = (" ".join(words[at : at + per_line]) for at in range(0, len(words), per_line))
    return "".join(f"    {line}\n" for line in lines)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
