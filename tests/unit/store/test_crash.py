from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

# Forks a writer, kills it after a random number of acknowledged steps, looks at what it left.
KILLER = """
import json, os, random, signal, sys
from datetime import UTC, datetime
from time import monotonic
from doctor.model.change import *
from doctor.model.tier import Tier
from doctor.store import *

URL, ROUNDS, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
LIMITS = {"system": Window(10**9, 60)}

def opened():
    return open_store(URL, lambda: datetime.now(UTC), target="t", create=True)

def write(acknowledged):
    store = opened()
    for number in range(10**6):
        fix = store.fixes.new_id()
        change = SetCells("runs", {"id": number}, {"state": "a"}, {"state": "b"})
        store.fixes.intend(fix, Plan("t", "r", (), (change,), Tier.SAFE, 1), LIMITS)
        os.write(acknowledged, b"i")
        store.fixes.record_applied(fix, ())
        os.write(acknowledged, b"a")

choose = random.Random(7)
end = monotonic() + SECONDS
kills = acked = 0
while kills < ROUNDS and monotonic() < end:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        write(writer)
    os.close(writer)
    wanted, seen = choose.randrange(1, 12), b""
    while len(seen) < wanted:
        seen += os.read(reader, 1)
    for _ in range(choose.randrange(40_000)):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reader, 100):
        seen += more
    os.close(reader)
    kills += 1
    acked += len(seen)
    with opened() as store:
        check = store.journal.verify()
        fixes = store.fixes.find()
        applied = sum(fix.state == "applied" for fix in fixes)
        spent = store.budget.spent({"system": Window(0, 10**6)})[0].spent
        assert check.ok and check.anchored, check
        assert check.entries == len(fixes) + applied, (check, len(fixes), applied)
        assert acked <= check.entries <= acked + kills, (acked, check.entries)
        assert spent == len(fixes)
print(json.dumps({"kills": kills, "acknowledged": acked}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_killed_writer_leaves_a_whole_store_and_loses_nothing_it_acknowledged(url):
    done = subprocess.run(
        [sys.executable, "-c", KILLER, url, "100", "5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout)
    assert figures["kills"] >= 5
    assert figures["acknowledged"] >= figures["kills"]
