"""``python -m pabal`` is the command ``pabal``."""

from pabal.cli import main

raise SystemExit(main())
