"""Runs a warm doctor's work under strace, with at most one kind of fault at one place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.faults import program
from tests.support.faults.site import Site
from tests.support.uncovered import uncovered

WRITING = (
    "write", "pwrite64", "fdatasync", "fsync", "ftruncate", "fallocate", "unlink", "unlinkat",
    "rename", "mkdir", "openat", "flock",
)  # fmt: skip
PROJECT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """The n-th call of one kind."""

    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.call}#{self.number}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a fork ended: its exit code (negative: the signal), and what it had said."""

    code: int
    said: list[Any]


class Warm:
    """A warm doctor for one site."""

    def __init__(self, site: Site, process: subprocess.Popen[str]) -> None:
        self.site = site
        self._process = process

    def wait(self) -> None:
        """Return once the doctor is warm; it has treated the site by then."""
        self._answer()

    def run(self, *command: object, fault: str | None = None, log: Path | None = None) -> Ended:
        """Do one thing in a fork; strace injects ``fault`` and writes to ``log``."""
        pid = self._ask([*command])["pid"]
        if fault is None and log is None:
            return self._go()
        options = ["-e", f"inject={fault}"] if fault else []
        traced = ["strace", "-f", "-p", str(pid), "-o", str(log or os.devnull)]
        traced += ["-e", f"trace={','.join(WRITING)}", *options]
        with subprocess.Popen(traced, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            line = tracer.stderr.readline()
            assert "attached" in line, line + tracer.stderr.read()
            ended = self._go()
            tracer.communicate(timeout=30)
        return ended

    def points(self, *command: object) -> list[Point]:
        """Return every place at which the work calls what it could be killed at, in order."""
        log = self.site.folder / "trace"
        self.site.reset()
        ended = self.run(*command, log=log)
        assert ended.code == 0, ended
        seen: Counter[str] = Counter()
        found = []
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            name = line.split(maxsplit=1)[1].partition("(")[0]
            if name in WRITING:
                seen[name] += 1
                found.append(Point(name, seen[name]))
        return found

    def _ask(self, command: object) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _go(self) -> Ended:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        answer = self._answer()
        return Ended(answer["code"], answer["said"])

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the warm doctor ended"
        return json.loads(line)


@contextmanager
def warm(site: Site, *options: str) -> Iterator[Warm]:
    """Start a warm doctor for a site; ``split`` gives it the door with the defect."""
    command = [sys.executable, str(Path(program.__file__)), str(site.config), *options]
    environment = uncovered(
        {
            "PYTHONPATH": str(PROJECT),
            "DOCTOR_STATE_DIR": str(site.state),
            "DOCTOR_ENGINE": "reference",
        }
    )
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            doctor = Warm(site, process)
            doctor.wait()
            if not site.case.is_first:
                site.reset()
                doctor.run("work", "open")
                site.keep()
            yield doctor
        finally:
            process.kill()
