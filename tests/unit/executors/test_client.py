"""``doctor.consult`` never raises and ends at its deadline, whatever the child does."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

import doctor
from doctor.executors import client


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Put another program in place of the child: a package ``doctor`` first on its path."""

    def replace(source):
        folder = tmp_path / "doctor" / "executors"
        folder.mkdir(parents=True)
        (tmp_path / "doctor" / "__init__.py").write_text("")
        (folder / "__init__.py").write_text("")
        (folder / "child.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.chdir(tmp_path)

    return replace


@pytest.mark.parametrize(
    "source",
    [
        "import os; os._exit(3)",
        "raise SystemExit('no')",
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "print('garbage')",
        'print(\'{"action": "explode"}\')',
        "print('x' * 200_000)",
        "pass",
        "import sys; sys.stdin.close(); print('{')",
    ],
)
def test_a_child_that_fails_is_no_opinion(child, source):
    child(source)
    advice = doctor.consult(ValueError("x"), run="r1", deadline=20)
    assert (advice.action, advice.delay) == ("retry", 0.0)


def test_a_child_that_hangs_is_given_up_at_the_deadline(child):
    child("import time; time.sleep(60)")
    start = time.monotonic()
    advice = doctor.consult(ValueError("x"), run="r1", deadline=0.5)
    assert advice.action == "retry"
    assert time.monotonic() - start < 5


def test_a_child_that_answers_is_heard(child):
    child(
        "import json, sys; q = json.load(sys.stdin);"
        " print(json.dumps({'action': 'stop', 'reason': q['error']['type'] + q['run']}))"
    )
    assert doctor.consult(ValueError("x"), run="r1") == client.Advice("stop", 0.0, "ValueErrorr1")


def test_an_error_that_cannot_even_be_printed_is_no_opinion():
    class Bad(Exception):
        def __str__(self):
            raise RuntimeError

    assert doctor.consult(Bad(), run="r1").action == "retry"


def test_importing_doctor_and_asking_loads_only_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); import doctor; doctor.consult;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "bad = sorted(one for one in new - {'doctor'} if one not in sys.stdlib_module_names);"
        "print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
