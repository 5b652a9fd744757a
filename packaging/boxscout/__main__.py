"""The commands of an installation: ``boxscout``, ``boxscout-window`` and ``python -m boxscout``."""

from __future__ import annotations

import sys

from main import main


def window() -> int:
    """Open the window with the folders, files or project that were given."""
    return main(["--", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
