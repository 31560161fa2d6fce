"""Sets the demo system up in a temporary folder, lets it run twice, and shows both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from doctor.errors import UsageError

ROUNDS = 10
JOB = "nightly-report-7"
PROGRAMS = ("models.py", "api.py", "executor.py")
MAPPING = """format: doctor/1
mapping: jobs.state
owner: demo-team
reason: an import script wrote READY where it meant created
values: {READY: CREATED}
"""
CONFIG = """[system]
database = "sqlite:///jobs.db"
%s
models = "models.py"
logs = ["executor.log"]
[rules]
paths = ["mapping.yaml"]
[hook]
max_tier = "SAFE"      # this owner lets the retry hook heal what is certain
"""
NO_API = '# api = "http://127.0.0.1:8000"        # python api.py jobs.db prints its address'
JOBS = (
    (JOB, "READY"),
    ("nightly-report-6", "DONE"),
    ("nightly-report-8", "working "),
    ("nightly-report-9", "PAUSED"),
)
Print = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How the executor ended: its last word, its failing calls, the last advice."""

    ended: str
    failing_calls: int
    advice: dict[str, Any] | None


def run_demo(show: Print, keep: Path | None = None) -> int:
    """Run the demo and print it; returns 0 where Doctor healed the run at its first failure.

    ``keep`` is a new folder in which the demo system stays, to be played with.
    """
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="doctor-demo-") as folder:
            return _play(Path(folder), show, keep=None)
    try:
        keep.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {str(keep)!r}: {error.strerror}") from error
    code = _play(keep.resolve(), show, keep)
    (keep / "doctor.toml").write_text(CONFIG % NO_API, encoding="utf-8")
    return code


def _play(folder: Path, show: Print, keep: Path | None) -> int:
    _set_up(folder)
    environment = {**os.environ, "DOCTOR_STATE_DIR": str(folder / ".doctor")}
    environment.pop("DOCTOR_PLUGINS", None)
    show(f"A small executor system: job {JOB!r}, an HTTP API over SQLite, a retry loop.")
    show("An import script has written state READY into the job's row; the code has no such state.")
    with _api(folder, environment) as api:
        (folder / "doctor.toml").write_text(CONFIG % f'api = "{api}"', encoding="utf-8")
        show(f"\n1. Without Doctor ({ROUNDS} rounds instead of for ever)")
        without = _execute(folder, environment, api, None)
        show(f"   {without.failing_calls} failing calls, each a bare 500; the job: {without.ended}")
        show("\n2. What an operator sees: doctor diagnose " + JOB + "\n")
        show(_indented(_doctor(folder, environment, "diagnose", JOB)))
        (folder / "executor.log").unlink(missing_ok=True)
        show("\n3. With doctor.consult() asked before each back-off")
        with_doctor = _execute(folder, environment, api, str(folder / "doctor.toml"))
        advice = with_doctor.advice or {}
        show(f"   at failing call {with_doctor.failing_calls} doctor says {advice.get('action')}:")
        show(f"   {advice.get('cause')}; {advice.get('reason')}")
        show(f"   the job: {with_doctor.ended}")
        show("\n4. What it did: doctor history\n")
        show(_indented(_doctor(folder, environment, "history")))
    show("")
    show("                     without Doctor   with Doctor")
    show(f"   failing calls     {without.failing_calls:<15}  {with_doctor.failing_calls}")
    show(f"   the job           {without.ended:<15}  {with_doctor.ended}")
    show("\nTry next, in the folder of your own system: doctor init, then doctor preflight")
    if keep:
        show(f"The demo system stays in {keep}: two more of its jobs are sick")
    show(f"failing calls: without {without.failing_calls}, with {with_doctor.failing_calls}")
    return 0 if with_doctor.ended == "done" and with_doctor.failing_calls == 1 else 1


def _set_up(folder: Path) -> None:
    for name in PROGRAMS:
        source = resources.files("doctor.demo") / name
        (folder / name).write_bytes(source.read_bytes())
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    engine = sa.create_engine(f"sqlite:///{folder / 'jobs.db'}")
    from doctor.demo.models import Base

    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        for job, state in JOBS:
            connection.execute(
                sa.text("INSERT INTO jobs (id, state) VALUES (:id, :state)"),
                {"id": job, "state": state},
            )
        connection.execute(
            sa.text("INSERT INTO steps (job_id, state) VALUES (:job, 'OPEN')"),
            [{"job": JOB}, {"job": JOB}],
        )
    engine.dispose()


@contextmanager
def _api(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    command = [sys.executable, "api.py", "jobs.db"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server.stdout.readline().strip() if server.stdout else ""
        finally:
            server.kill()


def _execute(folder: Path, environment: dict[str, str], api: str, config: str | None) -> Ending:
    command = [sys.executable, "executor.py", api, JOB, "executor.log", str(ROUNDS)]
    command += [config] if config else []
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return Ending(**json.loads(done.stdout))


def _doctor(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "doctor", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" if line else "" for line in text.rstrip().splitlines())
