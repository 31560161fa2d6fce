"""The models of a real incident read completely and fast."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from doctor.system.code import read_models
from doctor.system.code.importing import import_models
from tests.unit.system.code.differential import seen_by_doctor, seen_by_sqlalchemy

MODELS = Path(__file__).resolve().parents[4] / "../shared/corpus/incident/models.py"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not MODELS.exists(), reason="the shared corpus is not here"),
]


def test_the_incident_models_read_as_sqlalchemy_has_them() -> None:
    models = read_models(MODELS)
    assert models.gaps == ()
    assert seen_by_doctor(models) == seen_by_sqlalchemy(MODELS)
    assert [one.name for one in models.tables] == ["runs", "tiers", "phases"]


def test_importing_the_incident_models_gives_the_same() -> None:
    assert import_models(MODELS, timeout=60) == read_models(MODELS)


def test_the_incident_models_read_quickly() -> None:
    if sys.gettrace() is not None:
        pytest.skip("coverage or a debugger is tracing, which is what would be measured")
    times = []
    for _ in range(15):
        started = time.process_time()
        read_models(MODELS)
        times.append(time.process_time() - started)
    assert min(times) < 0.015


def test_the_reader_imports_neither_sqlalchemy_nor_pydantic() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom doctor.system.code import read_models\n"
        f"read_models(Path({str(MODELS)!r}))\n"
        "print(sorted({'sqlalchemy', 'pydantic'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[4]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
