"""A stream of 100 MB/s through ``doctor watch``, against the same stream through a bare pipe."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

PAIRS = 5
MEGABYTES = 300
RATE = 100
_WRITER = """
import sys, time
megabytes, rate = int(sys.argv[1]), int(sys.argv[2])
line = b"2026-01-02 03:04:05 INFO worker 17 did step 4711 of batch 99 in 0.23 s, all is well\\n"
block = (line * ((1 << 20) // len(line) + 1))[: 1 << 20]
sys.stdout.flush()
start = time.perf_counter()
for number in range(megabytes):
    sys.stdout.buffer.write(block)
    ahead = number / rate - (time.perf_counter() - start)
    if ahead > 0.005:
        time.sleep(ahead)
sys.stdout.buffer.flush()
print(time.perf_counter() - start, file=sys.stderr)
"""


def passing_on(folder: Path) -> float:
    """Return the median ratio of the seconds that the writer needs, watched and bare."""
    writer = folder / "writer.py"
    writer.write_text(_WRITER, encoding="utf-8")
    command = [sys.executable, str(writer), str(MEGABYTES), str(RATE)]
    watched = [sys.executable, "-m", "doctor", "watch", "--", *command]
    ratios = [_seconds(watched) / _seconds(command) for _ in range(PAIRS)]
    return statistics.median(ratios)


def _seconds(command: list[str]) -> float:
    time.sleep(0.1)
    with subprocess.Popen(
        f"{subprocess.list2cmdline(command)} | cat > /dev/null",
        shell=True,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _, said = process.communicate()
    return float(said.split()[0])
