"""Boxscout's one entry: it prepares its environment when asked, then opens the window or runs a command.

    python3 main.py [FOLDER | FILES | PROJECT.boxscout]     the window
    python3 main.py train | localize | learn | export | evaluate | compare | curve | import |
                    reproduce | demo | doctor | test

Every Python 3 must be able to parse this file, so that an old one gets a sentence instead of a SyntaxError:
no f-strings and nothing newer here. Until the hand-over only the standard library is used, also by
``core.setup.bootstrap`` and ``core.setup.system``.
"""

import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent)
OLDEST_PYTHON = (3, 10)
COMMANDS = (
    *("train", "train-cam", "localize", "learn", "localizer", "export", "sample", "evaluate"),
    *("compare", "curve", "snapshots", "runs", "import", "relocate", "repair"),
    *("reproduce", "demo", "doctor", "test"),
)
#: Set where a shell asks how to complete a line, as typer's scripts do (boxscout --show-completion).
COMPLETION = "_BOXSCOUT_COMPLETE"


def too_old(version: tuple, executable: str) -> str:
    """The sentence for a Python that is too old; empty when it is new enough."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return ""
    needed = ".".join(str(part) for part in OLDEST_PYTHON)
    found = ".".join(str(part) for part in version[:3])
    return (
        "Boxscout needs Python " + needed + " or newer, and " + executable + " is Python " + found + ". "
        "Start it with a newer one, for example: python3.12 main.py"
    )


if too_old(sys.version_info, sys.executable):
    sys.exit(too_old(sys.version_info, sys.executable))
# PYTHONSAFEPATH leaves a script's own folder out. In a wheel this is boxscout.main, and its folder stays out:
# a package of somebody else may be called core.
if "." not in __name__ and ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from core import PROGRAM, __version__  # noqa: E402 - an old Python could not read these
from core.base.errors import BoxscoutError  # noqa: E402
from core.setup import bootstrap, system  # noqa: E402

HOW_TO_DEMO = "Without a window, run the main job with: " + PROGRAM + " demo --out DIR"


def main(argv: "list[str] | None" = None) -> int:
    """Run Boxscout with ``argv`` (default: the process's own arguments); the exit code comes back.

    0 done, 1 failed, 2 wrong use or no display, 130 stopped with Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _start(arguments)
    except BoxscoutError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run the same command again to go on.", file=sys.stderr)
        return 130


def _start(arguments: "list[str]") -> int:
    if arguments == ["--version"]:  # nobody should install gigabytes to read a version
        return _version()
    if COMPLETION in os.environ:  # a shell asks what could come next; there are no arguments
        return _command(arguments)
    first = arguments[0] if arguments else ""
    if first == "test":
        return _test(arguments)
    if first in COMMANDS or (first.startswith("-") and first != "--"):
        return _command(arguments)
    return _window(arguments)


def _version() -> int:
    try:
        print("boxscout " + __version__, flush=True)
    except OSError as error:
        from core.base.output import lost_output

        sentence = lost_output(error)
        if sentence:
            print(sentence, file=sys.stderr)
        return 1
    return 0


def _command(arguments: "list[str]") -> int:
    code = bootstrap.enter(ROOT, arguments)
    if code is not None:
        return code
    from core.cli import app as cli

    return cli.main(arguments)


def _window(arguments: "list[str]") -> int:
    paths = arguments[1:] if arguments[:1] == ["--"] else arguments
    wrong = _wrong_path(paths)
    if wrong:
        print(wrong, file=sys.stderr)
        return 2
    problem = system.display_problem(os.environ, sys.platform)  # before gigabytes are installed for nothing
    if problem:
        print(problem + "\n" + HOW_TO_DEMO, file=sys.stderr)
        return 2
    code = bootstrap.enter(ROOT, arguments)
    if code is not None:
        return code
    system.require_qt_libraries(os.environ, sys.platform)
    silent = system.silent_display(os.environ, sys.platform)
    if silent:
        print(silent + "\n" + HOW_TO_DEMO, file=sys.stderr)
        return 2
    from app.application import run

    return run(paths)


def _wrong_path(paths: "list[str]") -> str:
    """The sentence for the first path that is neither there nor a project to be made; empty if all are."""
    for path in paths:
        new_project = path.endswith(".boxscout") and Path(path).absolute().parent.is_dir()
        if not os.path.lexists(path) and not new_project:
            return "'" + path + "' is neither a file or folder nor a command (" + ", ".join(COMMANDS) + ")."
    return ""


def _test(arguments: "list[str]") -> int:
    if not Path(ROOT, "tests").is_dir():
        raise BoxscoutError("The tests are not part of this installation; run them in a checkout.")
    code = bootstrap.enter(ROOT, arguments, extra="test")
    if code is not None:
        return code
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    system.require_qt_libraries(os.environ, sys.platform)
    os.chdir(ROOT)  # pytest finds its settings and `tests/` there
    import pytest

    chosen = [argument for argument in arguments[1:] if argument != "--long"]
    every = ["-m", ""] if len(chosen) < len(arguments) - 1 else []  # before a person's own -m, which wins
    # The whole suite on two processes, a file to each at a time; what a person picks runs as they wrote it.
    return int(pytest.main(every + (chosen or ["-n", "2", "--dist", "loadfile"])))


if __name__ == "__main__":
    sys.exit(main())
