"""The made-up team's system: its database, filled, and its API on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.support import jobs_models
from tests.support.jobs_models import Base, Job, JobStatus
from tests.support.ward import Ward

STAMP = "2026-01-02 03:04:05.000000"
ROUTES = {"openapi": "3.1.0", "paths": {"/jobs": {"get": {}}, "/jobs/{job_uid}": {"get": {}}}}
COLUMNS = ("jobs.status", "stages.condition", "steps.progress")
VALUES = {
    "foreign": "PAUSED",
    "other": "RUNNING",
    "blank": "",
    "typo": "verifing",
    "case": "WAITING",
    "space": "waiting ",
    "repr": "JobStatus.WAITING",
    "all": "PAUSED",
    "healthy": "building",
    "tier": "building",
    "phase": "building",
}
HEALED = {"typo": "verifying", "case": "waiting", "space": "waiting", "repr": "waiting"}
DECLARED = {
    "jobs.status": {"PAUSED": "waiting"},
    "stages.condition": {"paused": "idle"},
    "steps.progress": {"paused": "todo"},
}
STAGES = {"tier": "todo", "all": "paused"}
STEPS = {"phase": "finished", "all": "paused"}


def job(number: int) -> str:
    """Return a job id as such systems make them."""
    return f"0b5e8f2a-7c41-4d1e-9a3b-{number:012x}"


def fill(database: Path) -> dict[str, str]:
    """Make the database; return the job of each illness."""
    engine = sa.create_engine(f"sqlite:///{database}", poolclass=sa.NullPool)
    Base.metadata.create_all(engine)
    runs = {name: job(number) for number, name in enumerate((*VALUES, "orphan"), start=1)}
    jobs = [{"u": runs[name], "v": value, "t": STAMP} for name, value in VALUES.items()]
    jobs += [{"u": job(1000 + at), "v": one.value, "t": STAMP} for at, one in enumerate(JobStatus)]
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO jobs VALUES (:u, :v, '', :t)"), jobs)
        for number, name in enumerate(VALUES, start=1):
            row = {"n": 10 + number, "u": runs[name], "t": STAMP, "v": STAGES.get(name, "idle")}
            connection.execute(sa.text("INSERT INTO stages VALUES (:n, :u, :v, :t)"), row)
            row = {**row, "s": 10 + number, "n": 70 + number, "v": STEPS.get(name, "todo")}
            connection.execute(sa.text("INSERT INTO steps VALUES (:n, :u, :s, :v, :t)"), row)
        orphan = {"n": 99, "u": runs["orphan"], "s": 11, "t": STAMP}
        connection.execute(sa.text("INSERT INTO steps VALUES (:n, :u, :s, 'todo', :t)"), orphan)
    engine.dispose()
    return runs


Answer = Callable[[BaseHTTPRequestHandler], bool]


def truthful(_handler: BaseHTTPRequestHandler) -> bool:
    """Answer as the database says."""
    return False


@contextmanager
def serve(database: Path, answer: Answer = truthful, *, detail: bool = False) -> Iterator[str]:
    """Serve the jobs API; ``answer`` may take over a request by returning True."""
    engine = sa.create_engine(f"sqlite:///{database}", poolclass=sa.NullPool)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if answer(self):
                return
            try:
                status, body = self.read()
            except (LookupError, ValueError) as error:
                status = 500
                body = json.dumps({"detail": str(error)}) if detail else "Internal Server Error"
            reply(self, status, body)

        def read(self) -> tuple[int, str]:
            if self.path == "/openapi.json":
                return 200, json.dumps(ROUTES)
            with Session(engine) as session:
                found = session.get(Job, unquote(self.path.rpartition("/")[2]))
                if found is None:
                    return 404, '{"detail": "no such job"}'
                steps = [one.progress.value for stage in found.stages for one in stage.steps]
                stages = [one.condition.value for one in found.stages]
                return 200, json.dumps([found.status.value, stages, steps])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        engine.dispose()


def reply(handler: BaseHTTPRequestHandler, status: int, body: str) -> None:
    """Send one answer."""
    data = body.encode()
    handler.send_response(status)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


@contextmanager
def jobs_ward(folder: Path, answer: Answer = truthful, *, detail: bool = False) -> Iterator[Ward]:
    """Set the whole system up in a folder and serve it."""
    folder = folder / "system"
    folder.mkdir()
    database = folder / "jobs.db"
    runs = fill(database)
    assert jobs_models.__file__ is not None
    models = folder / "jobs_models.py"
    models.write_bytes(Path(jobs_models.__file__).read_bytes())
    ward = Ward(
        folder=folder,
        database=database,
        models=models,
        api="",
        columns=COLUMNS,
        valid=tuple(one.value for one in JobStatus),
        runs=runs,
        values=VALUES,
        declared=DECLARED,
        healed=HEALED,
    )
    with serve(database, answer, detail=detail) as address:
        yield replace(ward, api=address)
