"""The first start, on a checkout small enough to install in seconds and without a network.

The checkout is this one's own ``main.py`` and bootstrap, with one tiny dependency from a wheel that the test
writes, a build backend that lies in the checkout, and a command line that prints where it runs.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import main
from core.setup import bootstrap
from core.setup.requirements import MODULE_OF, requirements

REPOSITORY = Path(__file__).resolve().parent.parent
BOOTSTRAP = ("main.py", "core/__init__.py", "core/base/errors.py", "core/base/lock.py")
BOOTSTRAP += (
    "core/setup/__init__.py",
    "core/setup/bootstrap.py",
    "core/setup/requirements.py",
    "core/setup/system.py",
)
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "boxscout"
version = "0"
# "not-this"
dependencies = [
    # "nor-this"
    "tiny-dependency>=1",
]

[project.optional-dependencies]
test = [
    "tiny-extra",
]
"""
BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "boxscout-0.dist-info"
    with zipfile.ZipFile(folder + "/boxscout-0-py3-none-any.whl", "w") as file:
        file.writestr("boxscout.pth", "")
        file.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: boxscout\\nVersion: 0\\n"
            "Requires-Dist: tiny-dependency>=1\\nProvides-Extra: test\\n"
            "Requires-Dist: tiny-extra; extra == 'test'\\n")
        file.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr(info + "/RECORD", "")
    return "boxscout-0-py3-none-any.whl"
"""
CLI = """
import json, sys
def main(arguments):
    print(json.dumps({"arguments": arguments, "prefix": sys.prefix}))
    return 7
"""


def write_wheel(folder: Path, name: str) -> None:
    info = f"{name}-1.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}/__init__.py", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


class Checkout:
    """A copy of the entry in a folder whose name is a person's, and how to start it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "été & co"
        self.wheels = folder / "wheels"
        self.venv = self.root / ".venv"
        self.wheels.mkdir(parents=True)
        for name in BOOTSTRAP:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, self.root / name)
        (self.root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        (self.root / "backend.py").write_text(BACKEND, encoding="utf-8")
        (self.root / "core" / "cli").mkdir()
        (self.root / "core" / "cli" / "app.py").write_text(CLI, encoding="utf-8")
        write_wheel(self.wheels, "tiny_dependency")
        write_wheel(self.wheels, "tiny_extra")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.root / "main.py"), *arguments]

    def environment(self, **changes: str) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("PIP_", "BOXSCOUT_"))}
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        return {**kept, **offline, **changes}

    def start(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(**changes),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def assert_works(self, done: subprocess.CompletedProcess[str]) -> None:
        assert done.returncode == 7, done.stderr
        said = json.loads(done.stdout)  # nothing but the command's own result on stdout
        assert Path(said["prefix"]).resolve() == self.venv.resolve()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout(tmp_path_factory.mktemp("fresh"))
    done = checkout.start("train", "a folder", "--json")
    checkout.assert_works(done)
    assert json.loads(done.stdout)["arguments"] == ["train", "a folder", "--json"]
    assert f"installed into {checkout.venv}: about 1.7 GB" in done.stderr
    assert "Successfully installed" in done.stderr  # pip's own progress is shown
    return checkout


def test_a_later_start_asks_no_pip(installed: Checkout) -> None:
    done = installed.start("doctor", PIP_FIND_LINKS="/nowhere")
    installed.assert_works(done)
    assert done.stderr == ""


def test_a_changed_requirement_installs_again(installed: Checkout) -> None:
    pyproject = installed.root / "pyproject.toml"
    pyproject.write_text(PYPROJECT + "\n[tool.ruff]\nline-length = 1\n", encoding="utf-8")
    assert installed.start("doctor").stderr == ""  # a tool's setting is no requirement
    pyproject.write_text(PYPROJECT.replace("tiny-dependency>=1", "tiny-dependency>=0.5"), encoding="utf-8")
    done = installed.start("doctor")
    installed.assert_works(done)
    assert "now installed" in done.stderr


def test_pip_is_believed_only_where_it_came_to_its_end(installed: Checkout) -> None:
    """What a kill leaves: no stamp, a package half copied, its METADATA but no RECORD."""
    (installed.venv / "boxscout-complete.json").unlink()
    packages = next(installed.venv.glob("[lL]ib/**/site-packages"))
    (packages / "tiny_dependency" / "__init__.py").unlink()
    (packages / "tiny_dependency-1.dist-info" / "RECORD").unlink()
    (packages / "~iny_dependency").mkdir()
    installed.assert_works(installed.start("doctor"))
    assert (packages / "tiny_dependency" / "__init__.py").exists()
    assert not (packages / "~iny_dependency").exists()


def test_a_package_that_vanished_later_is_installed_again(installed: Checkout) -> None:
    packages = next(installed.venv.glob("[lL]ib/**/site-packages"))
    shutil.rmtree(packages / "tiny_dependency")
    done = installed.start("doctor")
    installed.assert_works(done)
    assert "now installed" in done.stderr


def test_what_an_installation_does_not_mend_is_told_and_does_not_loop(installed: Checkout) -> None:
    pyproject = (installed.root / "pyproject.toml").read_text(encoding="utf-8")
    wrong = pyproject.replace("tiny-dependency>=", "no-such-module>=")  # the backend does not ask for it
    (installed.root / "pyproject.toml").write_text(wrong, encoding="utf-8")
    done = installed.start("doctor")
    assert done.returncode == 1
    assert "still lacks no_such_module. Delete that folder and start again." in done.stderr
    (installed.root / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    installed.assert_works(installed.start("doctor"))


def test_the_test_extra_is_added_and_kept(installed: Checkout) -> None:
    assert "are not part" in installed.start("test").stderr
    (installed.root / "tests").mkdir(exist_ok=True)
    done = installed.start("test", "--version")
    assert "tiny-extra" in done.stderr  # and then there is no pytest in this little environment
    stamp = json.loads((installed.venv / "boxscout-complete.json").read_text(encoding="utf-8"))
    assert stamp["extras"] == ["test"]
    assert installed.start("doctor").stderr == ""


def test_no_network_is_a_sentence_and_the_next_start_goes_on(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    done = checkout.start("doctor", PIP_FIND_LINKS=str(tmp_path / "nothing"))
    assert done.returncode == 1
    assert done.stderr.rstrip().splitlines()[-1].startswith("The installation did not finish")
    assert "Traceback" not in done.stderr
    assert not (checkout.venv / "boxscout-complete.json").exists()
    checkout.assert_works(checkout.start("doctor"))


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_killed_half_way_is_repaired_and_two_starts_wait_for_each_other(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    first = subprocess.Popen(
        checkout.command("doctor"),
        env=checkout.environment(),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (checkout.venv / "boxscout-making").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert (checkout.venv / "boxscout-making").exists()

    starts = [
        subprocess.Popen(
            checkout.command("doctor"),
            env=checkout.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [start.communicate(timeout=120) for start in starts]
    assert [start.returncode for start in starts] == [7, 7], said
    assert sum("now installed" in errors for _, errors in said) == 1
    assert sum("this one waits" in errors for _, errors in said) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is where nobody can write")
def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    done = Checkout(tmp_path).start("doctor", BOXSCOUT_VENV="/proc/boxscout/venv")
    assert done.returncode == 1
    assert done.stderr.startswith("Boxscout cannot install its environment /proc/boxscout/venv")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.txt").write_text("precious", encoding="utf-8")
    done = Checkout(tmp_path).start("doctor", BOXSCOUT_VENV=str(mine))
    assert done.returncode == 1
    assert "is no Python environment" in done.stderr
    assert (mine / "chapter.txt").read_text(encoding="utf-8") == "precious"


def test_no_venv_module_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "is_there", lambda name: name != "ensurepip")
    home = bootstrap.Home(root=tmp_path, venv=tmp_path / ".venv")
    with pytest.raises(bootstrap.SetupError, match="ensurepip"):
        bootstrap._make_venv(home, 0)
    assert not home.venv.exists()
    sentence = bootstrap._no_venv_module((3, 12), on_debian=True)
    assert sentence.endswith("apt-get install -y python3.12-venv")


# Wrong use, and what needs no installation


def start_here(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: text for name, text in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "main.py"), *arguments],
        env={**environment, **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="always has a display")
def test_no_display_exits_2_and_names_the_demo() -> None:
    done = start_here()
    assert done.returncode == 2
    assert "no display" in done.stderr
    assert "python3 main.py demo" in done.stderr


def test_a_path_that_is_not_there_exits_2() -> None:
    done = start_here("trian", QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 2
    assert "'trian' is neither a file or folder nor a command (train," in done.stderr


def test_paths_of_the_window(tmp_path: Path) -> None:
    (tmp_path / "été").mkdir()
    assert main._wrong_path([str(tmp_path / "été"), str(tmp_path / "new.boxscout")]) == ""
    assert "gone" in main._wrong_path([str(tmp_path), str(tmp_path / "gone")])
    assert main._wrong_path([str(tmp_path / "nowhere" / "new.boxscout")])


def test_the_version_needs_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "enter", lambda *_args, **_options: pytest.fail("installs"))
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == f"boxscout {main.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [((), {"short"}), (("--long",), {"short", "long"}), (("--long", "-k", "test_long"), {"long"}),
     (("-m", "long"), {"long"}), (("-k", "test_short", "--long"), {"short"})],
)  # fmt: skip
def test_what_takes_long_is_left_out_unless_asked_for(
    arguments: tuple[str, ...], passed: set[str], tmp_path: Path
) -> None:
    tests = tmp_path / "test_two.py"
    tests.write_text(
        "import pytest\ndef test_short(): pass\n@pytest.mark.long\ndef test_long(): pass\n", encoding="utf-8"
    )
    settings = ("-c", str(REPOSITORY / "pyproject.toml"), "-p", "no:cacheprovider", "-vv")
    done = start_here("test", *arguments, *settings, str(tests))
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(re.findall(r"::test_(\w+) .*PASSED", done.stdout)) == passed


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_full_disk_and_a_reader_that_is_gone_end_without_a_trace(option: str) -> None:
    command = [sys.executable, str(REPOSITORY / "main.py"), option]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "The output could not be written: the disk is full.\n")
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


# What an old Python and a bare one can read


@pytest.mark.parametrize(("version", "fits"), [((3, 9, 19), False), ((2, 7, 18), False), ((3, 10, 0), True)])
def test_an_old_python_gets_a_sentence(version: tuple[int, ...], fits: bool) -> None:
    sentence = main.too_old(version, "/usr/bin/python3")
    assert (sentence == "") is fits
    assert fits or ("needs Python 3.10" in sentence and "/usr/bin/python3 is Python" in sentence)


def test_an_old_python_can_parse_the_entry() -> None:
    tree = ast.parse((REPOSITORY / "main.py").read_text(encoding="utf-8"), feature_version=(3, 4))
    assert not any(isinstance(node, (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign)) for node in ast.walk(tree))


@pytest.mark.parametrize("name", BOOTSTRAP)
def test_the_way_to_the_environment_is_standard_library(name: str) -> None:
    tree = ast.parse((REPOSITORY / name).read_text(encoding="utf-8"))
    nodes = tree.body if name == "main.py" else list(ast.walk(tree))  # main hands over in its functions
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    own = {Path(one).with_suffix("").as_posix().replace("/", ".") for one in BOOTSTRAP}
    own |= {"core", "core.setup"}
    assert {one for one in names - own if one.split(".")[0] not in sys.stdlib_module_names} == set()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="compares with the standard library's TOML reader")
@pytest.mark.parametrize("extra", ["", "test"])
def test_requirements_are_read_as_toml_reads_them(extra: str) -> None:
    import tomllib

    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    expected = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    assert list(requirements(text, extra)) == expected
    assert not set(MODULE_OF) - {one.split(">")[0] for one in requirements(text, "test")}


def test_the_entry_knows_every_command() -> None:
    import typer

    from core.cli import app as cli

    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    assert set(commands) | {"test"} == set(main.COMMANDS)
