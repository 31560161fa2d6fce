"""The reader survives what no author ever wrote, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.support.paths import REPOSITORY
from tests.support.soak import sized

EXECUTIONS = sized(100_000, 1_000_000)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_mutated_file_brings_the_reader_down(capsys):
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.rulebook.fuzz", str(EXECUTIONS), "1"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    with capsys.disabled():
        sys.stdout.write(f"\nreader fuzz: {done.stdout}")
    assert done.returncode == 0, done.stderr[-2000:]
    told = re.fullmatch(r"(\d+) executions: (\d+) good, (\d+) mistaken\n", done.stdout)
    assert told is not None
    total, good, mistaken = map(int, told.groups())
    assert total == EXECUTIONS
    assert min(good, mistaken) > EXECUTIONS / 200, "the mutations should be neither wild nor tame"
