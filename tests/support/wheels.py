"""An environment with wheels of ours, and the dependencies of the one that runs the tests."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest


def install_wheels(folder: Path, *projects: Path) -> Path:
    """Build the projects, install them into a fresh environment; return its folder of commands."""
    try:
        import hatchling  # noqa: F401
    except ImportError:
        pytest.skip("hatchling is not installed: a wheel cannot be built without a network")
    for project in projects:
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
        done = subprocess.run(
            [*build, "--outdir", str(folder), str(project)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        + [str(one) for one in folder.glob("*.whl")],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    purelib = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for one in Path(sysconfig.get_path("purelib")).iterdir():
        if "doctor" not in one.name.lower() and one.suffix != ".pth":
            (dependencies / one.name).symlink_to(one)
    (Path(purelib) / "dependencies.pth").write_text(f"{dependencies}\n", encoding="utf-8")
    return folder / "venv" / "bin"
