"""The corpus incident as a system to test on: copies of its files, its API as a process."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.paths import CORPUS
from tests.support.ward import Ward

INCIDENT = CORPUS / "incident"
LOG = CORPUS / "logs" / "build127-v2.log"
ABSENT = f"the shared corpus is not at {CORPUS}"
SEED = "build127-phase1-self-healing-governance"
RUNS = {
    "foreign": SEED,
    "other": "build173-foreign",
    "blank": "build175-blank",
    "typo": "build170-typo",
    "case": "build171-case",
    "space": "build176-space",
    "repr": "build177-enumrepr",
    "all": "build183-allbad",
    "healthy": "build142-parent",
    "tier": "build182-tierbad",
    "phase": "build180-phasebad",
    "orphan": "build190-missing-run",
}
COLUMNS = ("runs.state", "tiers.state", "phases.state")
VALID = (
    "QUEUED",
    "PLAN_BOOTSTRAP",
    "RUN_CREATED",
    "PHASE_QUEUEING",
    "PHASE_EXECUTION",
    "GATE",
    "CI_RUNNING",
    "SNAPSHOT_CREATED",
    "DONE_SUCCESS",
    "DONE_FAILED_BUDGET_EXHAUSTED",
    "DONE_FAILED_POLICY_VIOLATION",
    "DONE_FAILED_REQUIRES_HUMAN_REVIEW",
    "DONE_FAILED_ENVIRONMENT",
)
DECLARED = {
    "runs.state": {"READY": "RUN_CREATED"},
    "tiers.state": {"READY": "PENDING"},
    "phases.state": {"READY": "QUEUED"},
}
HEALED = {
    "typo": "PHASE_EXECUTION",
    "case": "RUN_CREATED",
    "space": "RUN_CREATED",
    "repr": "RUN_CREATED",
}


def expected() -> list[dict[str, Any]]:
    """Return what the API must answer for each run, and why."""
    lines = (INCIDENT / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@contextmanager
def incident_ward(folder: Path, *, detail: bool = False) -> Iterator[Ward]:
    """Copy the incident into a folder and serve it."""
    for name in ("incident.db", "models.py", "api.py"):
        shutil.copyfile(INCIDENT / name, folder / name)
    with api_process(folder, detail=detail) as address:
        yield Ward(
            folder=folder,
            database=folder / "incident.db",
            models=folder / "models.py",
            api=address,
            columns=COLUMNS,
            valid=VALID,
            runs=RUNS,
            values={
                one: str(row["run_state"])
                for one, run in RUNS.items()
                for row in expected()
                if row["run_id"] == run
            },
            declared=DECLARED,
            healed=HEALED,
        )


def restore(ward: Ward) -> None:
    """Make the database as it was, through SQLite, so that whoever has it open sees it."""
    source, target = sqlite3.connect(INCIDENT / "incident.db"), sqlite3.connect(ward.database)
    with target:
        target.execute("DROP TABLE IF EXISTS doctor_applied")
    source.backup(target)
    source.close()
    target.close()


@contextmanager
def api_process(folder: Path, *, detail: bool) -> Iterator[str]:
    """Run the incident's own API program until the end."""
    command = [sys.executable, "api.py", "incident.db", "--port", "0"]
    command += ["--detail"] if detail else []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.kill()
