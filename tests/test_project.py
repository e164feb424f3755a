"""The files around the package agree with each other and with what is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import OPTVIZ_SERVE, SERVE_FLAGS
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import optviz

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONDA = yaml.safe_load((ROOT / "anaconda-project.yml").read_text())
APPS = sorted(path.stem for path in (ROOT / "apps").glob("*.py"))
LONGEST_MODULE = 420  # lines; a longer one is two ideas
CONDA_NAMES = {"torch": "pytorch", "playwright": "playwright-python"}
PINNED_EXTRAS = ["test", "notebook"]


def shell_blocks(text: str) -> list[str]:
    return [block.strip() for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL)]


def serve_command() -> str:
    return shell_blocks(README)[0]


def run_test_command() -> str:
    return shell_blocks(README)[1]


def pins() -> dict[str, Version]:
    """The versions that anaconda-project.yml pins."""
    entries = [entry for each in CONDA["packages"] for entry in (each["pip"] if isinstance(each, dict) else [each])]
    split = [re.fullmatch(r"([\w-]+)={1,2}([\w.]+)", entry) for entry in entries]
    assert all(split), f"not all of {CONDA['packages']} are pinned"
    return {match[1]: Version(match[2]) for match in split if match}


def requirements() -> list[Requirement]:
    extras = PYPROJECT["project"]["optional-dependencies"]
    wanted = [*PYPROJECT["project"]["dependencies"], *(r for name in PINNED_EXTRAS for r in extras[name])]
    return [Requirement(each) for each in wanted]


def tracked_files() -> list[Path]:
    """The project's own files; also those not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in files if path.is_file()]


# README and CI


def test_readme_opens_with_a_picture_that_exists():
    first = re.search(r"!\[(?P<what>[^\]]+)\]\((?P<path>[^)]+)\)", README)
    assert first and README.index(first[0]) < README.index("```"), "a picture comes before any command"
    assert (ROOT / first["path"]).is_file(), f"{first['path']} is missing"


def test_readme_links_lead_to_files():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_readme_serves_all_apps_as_the_tests_do():
    install, serve = serve_command().split(" && ")
    assert install == "pip install -e ."
    assert shlex.split(serve) == OPTVIZ_SERVE  # run by tests/test_hostile.py
    assert f"`{shlex.join(['panel', 'serve', 'apps/*.py', *SERVE_FLAGS])}`".replace("'", "") in README


def test_ci_runs_the_readme_test_command():
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    assert run_test_command() in lines


def test_ci_script_is_executable_and_parses():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


def test_ci_checks_style_and_types():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert {"ruff check .", "ruff format --check .", "pyright", "oxlint --deny-warnings optviz"} <= set(lines)


def test_readme_code_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where it saves a page
    names: dict = {}
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(code, "README.md", "exec"), names)
    assert "optviz" in (tmp_path / "adam.html").read_text("utf-8")
    assert names["run"].x.shape == (201, 1, 2)
    assert names["three"].lanes == 3
    assert names["path"].shape == (51, 2)


def test_readme_names_every_experiment():
    experiments = {name for name, module in optviz._LATER.items() if module.startswith("experiments.")}
    assert {name for name in experiments if f"| `{name}` |" in README} == experiments


# anaconda-project.yml


def test_every_app_has_a_command_and_every_command_its_app():
    assert "index" in APPS
    commands = set(CONDA["commands"]) - {"dashboard", "notebook", "test"}
    assert commands == set(APPS) - {"index"}


@pytest.mark.parametrize("name", sorted(set(CONDA["commands"]) - {"dashboard", "notebook", "test"}))
def test_an_app_command_serves_its_app(name):
    command = CONDA["commands"][name]
    assert shlex.split(command["unix"])[:5] == ["python", "-m", "panel", "serve", f"apps/{name}.py"]
    assert command["supports_http_options"] is True


def test_dashboard_is_first_and_serves_all_apps():
    assert next(iter(CONDA["commands"])) == "dashboard"
    words = shlex.split(CONDA["commands"]["dashboard"]["unix"])
    assert words[: 5 + len(SERVE_FLAGS)] == ["python", "-m", "panel", "serve", "apps/*.py", *SERVE_FLAGS]


def test_test_and_notebook_commands():
    assert CONDA["commands"]["test"]["unix"] == "python -m pytest"
    assert CONDA["commands"]["notebook"]["unix"].startswith("python -m jupyter notebook")


@pytest.mark.parametrize("wanted", requirements(), ids=lambda r: r.name)
def test_pinned_version_is_allowed(wanted):
    name = CONDA_NAMES.get(wanted.name, wanted.name)
    assert name in pins(), f"{name} is not pinned"
    assert wanted.specifier.contains(pins()[name])


def test_pinned_python_is_allowed():
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(pins()["python"])


def test_nothing_is_pinned_that_pyproject_does_not_name():
    named = {CONDA_NAMES.get(r.name, r.name) for r in requirements()}
    assert set(pins()) - {"python"} == named


def test_project_file_describes_the_package():
    assert CONDA["name"] == PYPROJECT["project"]["name"] == "optviz"
    assert "default" in CONDA["env_specs"]
    assert CONDA["dependencies"] == CONDA["packages"]


# licence, changelog, tidiness


def test_licence_is_bsd_3_clause():
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("BSD 3-Clause License")
    assert "Neither the name of the copyright holder" in text
    assert PYPROJECT["project"]["license"] == "BSD-3-Clause"


def test_changelog_tells_of_this_version():
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == optviz.__version__


def test_no_file_holds_a_path_or_a_host_of_one_machine():
    # written in two parts, so that this file does not hold them either
    folders = "home", "root", "work", "Users", "tmp"
    path = re.compile(r"(?<![\w.\-/:~$}>])/(?:" + "|".join(folders) + r")/\w")
    host = re.compile(r"(?:pypi|pythonhosted|npmjs|yarnpkg|anaconda)\." + r"(?:org|com)|index" + "-url")
    found = []
    for file in tracked_files():
        try:
            text = file.read_text()
        except UnicodeDecodeError:
            continue  # a picture
        for number, line in enumerate(text.splitlines(), 1):
            if path.search(line) or host.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", sorted((ROOT / "optviz").rglob("*.py")), ids=lambda p: p.stem)
def test_modules_stay_short(module):
    assert len(module.read_text().splitlines()) < LONGEST_MODULE
