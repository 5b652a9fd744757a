"""The whole product without a window: nothing in here imports Qt."""

import sys

__version__ = "0.1.0"
#: What a person types to start the program: a wheel and a built folder have a command of its name.
PROGRAM = "python3 main.py" if __name__ == "core" and not hasattr(sys, "frozen") else "boxscout"
