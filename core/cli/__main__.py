"""``python3 -m core.cli``: the commands in whatever environment is at hand, as on a server without Qt."""

import sys

from core.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
