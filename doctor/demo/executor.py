"""The demo team's executor: polls a job and retries, with the incident's policy scaled down.

    python executor.py API JOB LOG ROUNDS [DOCTOR_TOML]

Four attempts with growing sleeps, then the next round, for ever (here: ROUNDS at most). With a
doctor.toml it asks Doctor before it backs off. Prints one line of JSON: how it ended.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import doctor
from doctor import Advice

ATTEMPTS = 4
BACK_OFF = (0.02, 0.04, 0.08)
POLL = 0.1


class Executor:
    """Works one job to its end, or gives up after so many rounds."""

    def __init__(self, api: str, job: str, log: Path, consult: Callable[..., Advice] | None):
        self.url = f"{api}/jobs/{job}"
        self.job = job
        self.log = log
        self.consult = consult
        self.failing_calls = 0
        self.advice: dict[str, object] | None = None

    def work(self, rounds: int) -> str:
        """Return the job's last state, or why it was given up."""
        for _ in range(rounds):
            state = self.read_with_retries()
            if state == "done":
                return state
            if state == "stopped":
                return state
            if state is not None:
                self.call("POST")
            time.sleep(POLL)
        return "given up"

    def read_with_retries(self) -> str | None:
        """Return the job's state, None after a round of failures, or that Doctor said stop."""
        attempt = 0
        while attempt < ATTEMPTS:
            attempt += 1
            try:
                return str(self.call("GET")["state"])
            except urllib.error.HTTPError as error:
                self.failing_calls += 1
                self.note(
                    f"GET {self.url} failed: HTTP {error.code} (attempt {attempt}/{ATTEMPTS})"
                )
                action = self.ask(error)
                if action == "fixed":
                    attempt = 0
                elif action in ("stop", "asked"):
                    return "stopped"
                elif attempt < ATTEMPTS:
                    time.sleep(BACK_OFF[attempt - 1])
        return None

    def ask(self, error: Exception) -> str:
        """Ask Doctor before backing off again, if this executor has one."""
        if self.consult is None:
            return "retry"
        advice = self.consult(error, run=self.job, operation=f"GET {self.url}")
        self.advice = {"action": advice.action, "cause": advice.cause, "reason": advice.reason}
        self.note(f"doctor says {advice.action}: {advice.reason}")
        return advice.action

    def call(self, method: str) -> dict[str, object]:
        """Call the API once."""
        request = urllib.request.Request(self.url, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return dict(json.load(answer))

    def note(self, text: str) -> None:
        """Write one line of the log."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        with self.log.open("a", encoding="utf-8") as stream:
            stream.write(f"[{stamp}] ERROR: {text}\n")


def main() -> None:
    """Work one job and print how it ended."""
    api, job, log, rounds, *config = sys.argv[1:]
    consult = partial(doctor.consult, config=config[0], deadline=20.0) if config else None
    executor = Executor(api, job, Path(log), consult)
    ended = executor.work(int(rounds))
    document = {"ended": ended, "failing_calls": executor.failing_calls, "advice": executor.advice}
    print(json.dumps(document))


if __name__ == "__main__":
    main()
