#!/usr/bin/env python3
"""Every library that goes into the wheel has its licence in third_party/licenses/, unchanged, and a line in NOTICE."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    script = ROOT / "tools" / "third_party.py"
    failed = subprocess.run([sys.executable, script, "licences", "--check"]).returncode != 0
    notice = (ROOT / "NOTICE").read_text()
    for licence in sorted((ROOT / "third_party" / "licenses").glob("*.txt")):
        if f"({licence.name})" not in notice:
            print(f"NOTICE does not name third_party/licenses/{licence.name}")
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
