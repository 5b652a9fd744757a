"""The wheel: one package, whole, that starts beside other packages called ``core`` and ``app``.

It is built and installed without a network, into an environment that sees this one's libraries.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
BUILD = "import sys; sys.path.insert(0, 'packaging'); import backend; print(backend.{0}(sys.argv[1]))"
#: A package of somebody else, which no start of Boxscout may import.
CLASH = "raise SystemExit('somebody else\\'s package was imported')\n"


def build(hook: str, target: Path, checkout: Path = REPOSITORY) -> Path:
    done = subprocess.run(
        [sys.executable, "-c", BUILD.format(hook), str(target)],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("build_wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        return file.namelist()


class Installed:
    """An environment with the wheel and, by a path file, the libraries of this one."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        venv.create(folder, symlinks=os.name != "nt")
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / ("python.exe" if os.name == "nt" else "python")
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", str(wheel)]
        options = ["--no-deps", "--no-index", "--no-compile", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, *options], check=True)
        self.packages = next(folder.rglob("site-packages"))
        libraries = {str(path) for path in map(Path, sys.path) if path.name == "site-packages"}
        (self.packages / "libraries.pth").write_text("\n".join(sorted(libraries)), encoding="utf-8")

    def run(self, *command: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "BOXSCOUT_"))}
        own = {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", **changes}
        return subprocess.run(
            command, cwd=cwd, env={**kept, **own}, capture_output=True, text=True, check=False, timeout=120
        )

    def say(self, program: str, *arguments: str, cwd: Path, **changes: str) -> str:
        """What the ``program`` of this environment prints."""
        done = self.run(str(self.scripts / program), *arguments, cwd=cwd, **changes)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("fresh") / "env", wheel)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of a person who has packages called as our folders are."""
    for name in ("core", "app", "resources", "main"):
        (tmp_path / f"{name}.py").write_text(CLASH, encoding="utf-8")
    return tmp_path


def test_one_package_is_all_that_is_installed(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert tops == {"boxscout", next(top for top in tops if top.endswith(".dist-info"))}


def test_every_module_of_the_checkout_is_in_it(names: list[str]) -> None:
    ours = {f"boxscout/{path.relative_to(REPOSITORY).as_posix()}"
            for top in ("app", "core", "resources") for path in (REPOSITORY / top).rglob("*.py")}  # fmt: skip
    assert {*ours, "boxscout/main.py", "boxscout/__init__.py", "boxscout/py.typed"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("boxscout/tests")]


def test_no_module_imports_by_a_name_of_the_checkout(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        sources = {n: file.read(n).decode("utf-8") for n in file.namelist() if n.endswith(".py")}
    found = set()
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                found.add((name, (node.module or "").split(".")[0]))
            elif isinstance(node, ast.Import):
                found |= {(name, alias.name.split(".")[0]) for alias in node.names}
    assert ("boxscout/core/cli/app.py", "boxscout") in found
    assert not {one for one in found if one[1] in {"core", "app", "main", "resources", "tests"}}


def test_links_of_the_guide_and_pictures_lead_somewhere(wheel: Path, names: list[str]) -> None:
    with zipfile.ZipFile(wheel) as file:
        shown = [f"boxscout/docs/{page}{own}.md" for page in ("guide", "details") for own in ("", ".de")]
        pages = {name: file.read(name).decode("utf-8") for name in shown}
    targets = [t for text in pages.values() for t in re.findall(r"\]\(([^)#\s]+)", text)]
    own = [target for target in targets if "://" not in target]
    assert len([target for target in own if target.endswith(".webp")]) > 10
    assert not [target for target in own if f"boxscout/docs/{target}" not in names]


def test_metadata_is_whole(wheel: Path, names: list[str]) -> None:
    with zipfile.ZipFile(wheel) as file:
        name = next(one for one in names if one.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(file.read(name).decode("utf-8"))
        entries = file.read(name.replace("METADATA", "entry_points.txt")).decode("utf-8")
    assert (metadata["License-Expression"], metadata["Author"]) == ("MIT", "The Boxscout authors")
    urls = dict(one.split(", ") for one in metadata.get_all("Project-URL", []))
    assert {"Homepage", "Source", "Documentation", "Changelog", "Issues"} <= urls.keys()
    assert "Programming Language :: Python :: 3.11" in metadata.get_all("Classifier", [])
    assert {"LICENSE", "NOTICE"} == set(metadata.get_all("License-File", []))
    readme = str(metadata.get_payload())
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", readme)
    links = re.findall(r"\]\(([^)]+)\)", readme)
    assert pictures
    assert all(one.startswith(f"{urls['Source']}/raw/") for one in pictures)
    assert not [one for one in links if "://" not in one]
    assert "boxscout = boxscout.__main__:main" in entries
    assert "boxscout-window = boxscout.__main__:window" in entries


def test_the_command_starts_beside_foreign_packages(installed: Installed, elsewhere: Path) -> None:
    foreign = {"PYTHONPATH": str(elsewhere)}
    version = installed.say("boxscout", "--version", cwd=elsewhere, **foreign)
    assert re.fullmatch(r"boxscout \d+\.\d+\.\d+\n", version)
    told = installed.say("boxscout", "localize", "--help", cwd=elsewhere, **foreign)
    assert "--max-boxes" in told
    done = installed.run(str(installed.python), "-m", "boxscout", "nothing-here", cwd=elsewhere, **foreign)
    assert (done.returncode, "neither a file" in done.stderr) == (2, True)
    done = installed.run(str(installed.scripts / "boxscout-window"), "train", cwd=elsewhere, **foreign)
    assert (done.returncode, "'train' is neither a file" in done.stderr) == (2, True)


def test_it_names_its_own_command_and_installs_nothing(installed: Installed, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    command = [str(installed.scripts / "boxscout"), "localize", str(photos), "--project", "none.boxscout"]
    done = installed.run(*command, cwd=tmp_path)
    assert (done.returncode, "boxscout train PHOTOS" in done.stderr) == (1, True)
    assert "main.py" not in done.stderr
    bare = installed.folder / "bare"  # no library at all: one sentence, and no installer of its own
    venv.create(bare, symlinks=os.name != "nt")
    packages = next(bare.rglob("site-packages"))
    (packages / "boxscout").symlink_to(installed.packages / "boxscout", target_is_directory=True)
    python = next((bare / installed.scripts.name).glob("python*"))
    done = installed.run(str(python), "-m", "boxscout", "doctor", cwd=tmp_path)
    assert (done.returncode, "pip install --upgrade boxscout" in done.stderr) == (1, True), done.stderr
    assert not list(tmp_path.glob("**/.venv"))


WINDOW = """
import json
import boxscout
from boxscout.app import paths, style
from boxscout.app.views.guide_window import GuideWindow
from boxscout.core.base.language import speak, tr
from PySide6.QtWidgets import QApplication
app = QApplication([])
style.apply(app, "light")
found = {}
for language in ("en", "de"):
    window = GuideWindow(paths.guide_file(language))
    window.show()
    app.processEvents()
    found[language] = [window.contents.item(i).text() for i in range(window.contents.count())]
    window.close()
speak("de")
icon = style.icon("export")
result = {"chapters": found, "guide": tr("Guide"), "icon": not icon.pixmap(16, 16).isNull()}
result["api"] = {name: getattr(boxscout, name).__module__ for name in boxscout.__all__ if name[0] != "_"}
print(json.dumps(result))
"""


def test_the_library_and_f1_with_its_guide_icons_and_translations(
    installed: Installed, tmp_path: Path
) -> None:
    script = tmp_path / "window.py"
    script.write_text(WINDOW, encoding="utf-8")
    found = json.loads(installed.say("python", str(script), cwd=tmp_path).splitlines()[-1])
    assert found["api"]["find_objects"] == found["api"]["Found"] == "boxscout.core.api"
    for language, file in (("en", "guide.md"), ("de", "guide.de.md")):
        text = (REPOSITORY / "docs" / file).read_text(encoding="utf-8")
        assert found["chapters"][language] == re.findall(r"^##? (.+)$", text, re.MULTILINE)
    assert (found["guide"], found["icon"]) == ("Handbuch", True)


@pytest.mark.long
def test_an_sdist_gives_the_same_wheel(names: list[str], tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(build("build_sdist", tmp_path)) as file:
        file.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    with zipfile.ZipFile(build("build_wheel", tmp_path, source)) as again:
        assert sorted(again.namelist()) == sorted(names)
