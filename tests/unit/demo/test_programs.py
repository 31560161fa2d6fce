"""The demo's own programs, in this process: its API, and its executor's retry loop."""

from __future__ import annotations

import json
import sys
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from doctor.demo import executor as program
from doctor.demo.models import Base, Job, JobState, Step
from doctor.executors.advice import Advice
from tests.support.paths import REPOSITORY


@pytest.fixture
def api(tmp_path, monkeypatch):
    """Serve a job with two steps, and one whose state the code does not have."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "doctor" / "demo"))
    monkeypatch.setitem(sys.modules, "models", sys.modules["doctor.demo.models"])
    from doctor.demo.api import Handler

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'jobs.db'}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Job(id="good", state=JobState.CREATED, steps=[Step(), Step()]))
        session.commit()
        session.execute(sa.text("INSERT INTO jobs (id, state) VALUES ('bad', 'READY')"))
        session.commit()
    monkeypatch.setattr(Handler, "engine", engine)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    engine.dispose()


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def test_the_api_names_its_routes(api):
    assert list(get(f"{api}/openapi.json")["paths"]) == ["/jobs/{job_id}"]


@pytest.mark.parametrize(("job", "status"), [("bad", 500), ("none", 404)])
def test_the_api_answers_a_bare_error(api, job, status):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{api}/jobs/{job}")
    with caught.value as error:
        assert error.code == status


def worker(api, job, tmp_path, consult=None):
    return program.Executor(api, job, tmp_path / "executor.log", consult)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(program, "BACK_OFF", (0.0, 0.0, 0.0))
    monkeypatch.setattr(program, "POLL", 0.0)


def test_the_executor_works_a_job_to_its_end(api, tmp_path):
    one = worker(api, "good", tmp_path)
    assert (one.work(5), one.failing_calls) == ("done", 0)


def test_the_executor_retries_for_as_many_rounds_as_it_may(api, tmp_path):
    one = worker(api, "bad", tmp_path)
    assert (one.work(2), one.failing_calls) == ("given up", 8)
    assert len((tmp_path / "executor.log").read_text().splitlines()) == 8


@pytest.mark.parametrize(
    ("action", "ended", "calls"),
    [("stop", "stopped", 1), ("asked", "stopped", 1), ("retry", "given up", 4)],
)
def test_the_executor_does_what_the_advice_says(api, tmp_path, action, ended, calls):
    one = worker(api, "bad", tmp_path, lambda *_, **__: Advice(action, reason="r"))
    assert (one.work(1), one.failing_calls) == (ended, calls)
    assert one.advice is not None
    assert one.advice["action"] == action


def test_the_executor_starts_its_attempts_anew_when_the_cause_is_fixed(api, tmp_path):
    answers = iter([Advice("fixed"), Advice("stop")])
    one = worker(api, "bad", tmp_path, lambda *_, **__: next(answers))
    assert (one.work(1), one.failing_calls) == ("stopped", 2)
