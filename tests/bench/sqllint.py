"""How long checking the SQL of a source tree takes, in one process, and of the standard library."""

from __future__ import annotations

import statistics
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from doctor.linting import lint_paths
from tests.bench.figure import Figure
from tests.support.sql_tree import write_tree

FILES = 600
REPEATS = 3


def measure() -> Iterator[Figure]:
    """Yield milliseconds a file, half of which hold SQL; 5 are 200 files a second."""
    with tempfile.TemporaryDirectory() as name:
        write_tree(Path(name), FILES, every=3)
        yield Figure("sqllint.tree_ms_a_file", _milliseconds(Path(name)), 5.0)
    yield Figure("sqllint.library_ms_a_file", _milliseconds(_library()), 5.0)


def _library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def _milliseconds(path: Path) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        report = lint_paths([path])
        times.append((time.perf_counter() - start) * 1000 / report.files)
    return statistics.median(times)
