"""The demo, and a wheel that is built, installed and finds its rules and plugins."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.support.paths import REPOSITORY
from tests.support.terminal import run
from tests.support.wheels import install_wheels

pytestmark = pytest.mark.slow


@pytest.mark.slow
def test_the_demo_heals_at_the_first_failing_call(tmp_path):
    said = run("demo", cwd=tmp_path)
    assert (said.code, said.err) == (0, "")
    last = said.out.rstrip("\n").splitlines()[-1]
    found = re.fullmatch(r"failing calls: without (\d+), with 1", last)
    assert found, last
    assert int(found[1]) >= 8
    assert "enum_drift" in said.out
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "here"], [tmp_path / "state"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the command of a wheel in an environment that has the dependencies, but no source."""
    return install_wheels(tmp_path_factory.mktemp("wheel"), REPOSITORY) / "doctor"


@pytest.mark.slow
def test_an_installed_wheel_finds_its_plugins_and_rules(installed, jobs, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def call(*arguments):
        return run(*arguments, command=(str(installed),), cwd=tmp_path)

    where = [str(installed.with_name("python")), "-c", "import doctor; print(doctor.__file__)"]
    shown = subprocess.run(where, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert str(installed.parents[1]) in shown.stdout
    plugins = call("plugins", "--format", "json").json["plugins"]
    assert [one["failure"] for one in plugins] == [None] * len(plugins)
    assert {one["distribution"] for one in plugins} == {"run-doctor"}
    assert {"enum_values", "get_run", "run_row", "tables", "error_reports", "builtin"} <= {
        one["name"] for one in plugins
    }
    rules = call("rules", "list", "--format", "json").json["rules"]
    assert len(rules) >= 8
    here = run("rules", "list", "--format", "json").json["rules"]
    assert [one["id"] for one in rules] == [one["id"] for one in here]
    said = call("diagnose", jobs.runs["foreign"], *jobs.options(), "--format", "json")
    assert (said.code, said.json["diagnoses"][0]["cause"]) == (3, "enum_drift")
    assert json.loads(said.out)["status"] == "sick"


def test_the_command_has_a_version_and_a_help_that_names_every_exit_code(tmp_path):
    said = run("--version", cwd=tmp_path)
    assert said.code == 0
    assert re.fullmatch(r"doctor, version \d+\.\d+\.\d+\n", said.out)
    shown = run("--help", cwd=tmp_path)
    assert shown.code == 0
    text = " ".join(shown.out.split())
    for code in range(10):
        assert re.search(rf"\b{code} [a-z]", text), code
