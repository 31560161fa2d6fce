"""``doctor.consult``: asks a child process, within a deadline, and never raises.

Standard library only. Whatever happens to the child, the answer is then "no opinion" and the
executor backs off as it would have without Doctor.
"""

from __future__ import annotations

import json
import subprocess
import sys
from os import PathLike
from typing import Any

from doctor.executors.advice import Advice, advice_from_json, no_opinion

DEADLINE = 5.0
REPLY_CAP = 64 * 1024
TEXT_CAP = 4000


def consult(
    error: BaseException | str,
    *,
    run: str | None = None,
    operation: str | None = None,
    config: str | PathLike[str] | None = None,
    deadline: float = DEADLINE,
) -> Advice:
    """Return what to do about a failed call before backing off again.

    Args:
        error: the exception, or its text.
        run: the run that the call was made for; without one there is no opinion.
        operation: what was called, e.g. ``GET /runs/7``.
        config: doctor.toml to use instead of the nearest.
        deadline: seconds after which there is no opinion.
    """
    try:
        return _ask(_question(error, run, operation, config), deadline)
    except Exception as failure:  # noqa: BLE001 - asking must never make an executor worse
        return no_opinion(f"doctor could not be asked: {type(failure).__name__}")


def _question(
    error: BaseException | str,
    run: str | None,
    operation: str | None,
    config: str | PathLike[str] | None,
) -> bytes:
    kind = error if isinstance(error, str) else type(error).__name__
    question = {
        "error": {"type": kind[:TEXT_CAP], "message": str(error)[:TEXT_CAP]},
        "run": run,
        "operation": operation,
        "config": str(config) if config is not None else None,
    }
    return json.dumps(question).encode()


def _ask(question: bytes, deadline: float) -> Advice:
    child = subprocess.Popen(
        [sys.executable, "-m", "doctor.executors.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        reply, _ = child.communicate(question, timeout=deadline)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return no_opinion(f"doctor gave no answer within {deadline:g} s")
    if child.returncode != 0 or len(reply) > REPLY_CAP:
        return no_opinion("doctor failed to answer")
    data: Any = json.loads(reply)
    return advice_from_json(data)
