"""Two systems under care: a made-up one that is always there, and the corpus incident."""

from __future__ import annotations

import pytest

from tests.support.incident import ABSENT, INCIDENT, incident_ward, restore
from tests.support.jobs import jobs_ward

BOTH = ["jobs", pytest.param("incident", marks=pytest.mark.corpus)]


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Doctor keeps its state in the test's own folder, and finds no configuration there."""
    folder = tmp_path / "state"
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(folder))
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("DATABASE", "API", "MODELS", "STORE", "ENGINE", "PLUGINS", "DEBUG"):
        monkeypatch.delenv(f"DOCTOR_{name}", raising=False)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return folder


@pytest.fixture
def jobs(tmp_path):
    """The made-up system, fresh."""
    with jobs_ward(tmp_path) as ward:
        yield ward


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    if not INCIDENT.is_dir():
        pytest.skip(ABSENT)
    with incident_ward(tmp_path_factory.mktemp("bare")) as ward:
        yield ward


@pytest.fixture(scope="session")
def detailed(tmp_path_factory):
    if not INCIDENT.is_dir():
        pytest.skip(ABSENT)
    with incident_ward(tmp_path_factory.mktemp("detailed"), detail=True) as ward:
        yield ward


@pytest.fixture
def incident(bare):
    """The corpus incident as it was, its API answering a bare 500."""
    restore(bare)
    return bare


@pytest.fixture
def incident_with_detail(detailed):
    """The corpus incident as it was, its API naming the error in the body."""
    restore(detailed)
    return detailed


@pytest.fixture(params=BOTH)
def ward(request):
    """Each system in turn."""
    return request.getfixturevalue(request.param)
