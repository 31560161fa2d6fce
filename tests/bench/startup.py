"""Start-up: the command against bare Python, a whole diagnosis against a peer's help page."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.figure import Figure
from tests.support.paths import CORPUS

PAIRS = 15
RUN = "build127-phase1-self-healing-governance"
BIN = Path(sys.executable).parent


def measure() -> Iterator[Figure]:
    """Yield ``startup.help`` and ``startup.diagnose``, both as medians of interleaved ratios."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DOCTOR_STATE_DIR": f"{folder}/state"}
        bare = [sys.executable, "-c", "pass"]
        yield Figure(
            "startup.help", _ratio([str(BIN / "doctor"), "--help"], bare, environment), 8.0
        )
        peer = [str(BIN / "alembic"), "--help"]
        yield Figure("startup.diagnose", _ratio(_diagnosis(Path(folder)), peer, environment), 2.0)


def _diagnosis(folder: Path) -> list[str]:
    if not CORPUS.is_dir():
        raise SystemExit(f"startup.diagnose measures the real incident, which is not at {CORPUS}")
    shutil.copy(CORPUS / "incident" / "incident.db", folder / "incident.db")
    return [
        *(str(BIN / "doctor"), "diagnose", RUN),
        *("--database", f"sqlite:///{folder / 'incident.db'}"),
        *("--models", str(CORPUS / "incident" / "models.py")),
        *("--log", str(CORPUS / "logs" / "build127-v2.log")),
    ]


def _ratio(ours: Sequence[str], theirs: Sequence[str], environment: dict[str, str]) -> float:
    _seconds(ours, environment)
    _seconds(theirs, environment)
    ratios = [_seconds(ours, environment) / _seconds(theirs, environment) for _ in range(PAIRS)]
    return statistics.median(ratios)


def _seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=False)
    return time.perf_counter() - start
