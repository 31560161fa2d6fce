"""The sample plugin, built as a wheel, installed with Doctor's: found, tried, healed, undone."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing

import pytest

from tests.support.paths import REPOSITORY
from tests.support.ports import query
from tests.support.terminal import run
from tests.support.wheels import install_wheels

pytestmark = pytest.mark.slow

SAMPLE = REPOSITORY / "docs" / "sample-plugin"


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    return install_wheels(tmp_path_factory.mktemp("sample"), REPOSITORY, SAMPLE)


@pytest.fixture
def call(commands, tmp_path, monkeypatch):
    """Return a function that calls the installed command on a system with three jobs."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection, connection:
        connection.execute("CREATE TABLE jobs (id TEXT PRIMARY KEY, priority TEXT)")
        connection.execute("INSERT INTO jobs VALUES ('j1','NORMAL'),('j2','high'),('j3','urgent')")
    (tmp_path / "doctor.toml").write_text(
        'engine = "reference"\n[system]\ndatabase = "sqlite:///jobs.db"\n'
        '[system.runs]\ntable = "jobs"\n'
    )

    def called(*arguments):
        command = (str(commands / "doctor"),)
        return run(*arguments, "--format", "json", command=command, cwd=tmp_path)

    return called


def priorities(folder):
    rows = query(folder / "jobs.db", "SELECT id, priority FROM jobs")
    return {str(run): priority for run, priority in rows}


def test_an_installed_plugin_finds_explains_and_heals(call, tmp_path, figure):
    plugins = {one["name"]: one for one in call("plugins").json["plugins"]}
    assert plugins["sample_priority"]["distribution"] in (
        "doctor-sample-priority",
        "doctor_sample_priority",
    )
    checked = call("plugins", "--check")
    assert (checked.code, checked.json["tried"][0]["facts"]) == (0, 2)
    sick = call("diagnose", "j2")
    assert (sick.code, [one["code"] for one in sick.json["diagnoses"]]) == (3, ["SMP001"])
    healed = call("heal", "j2")
    assert (healed.code, healed.json["status"]) == (0, "healed")
    assert priorities(tmp_path) == {"j1": "NORMAL", "j2": "HIGH", "j3": "urgent"}
    fix = healed.json["outcomes"][0]["fix"]
    asked = call("heal", "j3")
    assert (asked.code, asked.json["status"]) == (5, "asked")
    assert priorities(tmp_path)["j3"] == "urgent"
    assert call("undo", fix).code == 0
    assert priorities(tmp_path)["j2"] == "high"
    figure("the sample plugin from its wheel: found 2, healed 1, asked 1, undone 1")


def test_the_tests_of_the_sample_pass_where_it_is_installed(commands, tmp_path):
    tests = str(SAMPLE / "tests")
    plain = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [str(commands / "python"), "-m", "pytest", *plain, tests],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
