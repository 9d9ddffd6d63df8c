#!/usr/bin/env python3
"""Whatever README.md and docs/*.md link to in this repository exists: above all the tests of docs/protocols.md."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def complaints_about(file: Path) -> list[str]:
    targets = [target for target in LINK.findall(file.read_text()) if "://" not in target]
    missing = (target for target in targets if not (file.parent / target).exists())
    return [f"{file.relative_to(ROOT)} links to {target}, which is not there" for target in missing]


def main() -> int:
    complaints = [
        each for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) for each in complaints_about(file)
    ]
    print("\n".join(complaints), end="\n" if complaints else "")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
