"""What is old is dropped; the chain of what is left still proves itself."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest

from doctor.model.ports import ChangeImage
from doctor.model.tier import Tier
from doctor.store import AskedPlan, open_store
from doctor.store.body import GONE
from doctor.store.retention import BATCH

DAYS_30 = timedelta(days=30)


@pytest.fixture
def filled(store, clock):
    """Two entries that are old, one that is young."""
    store.journal.append("kind", "first: held ODD-VALUE", data={"n": "ODD-VALUE"})
    store.journal.append("kind", "second")
    clock.move(days=40)
    store.journal.append("kind", "third")
    return store


def summaries(store):
    return [one.summary for one in store.journal.entries()]


def raw(url, *statements):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        return [connection.execute(*one).fetchall() for one in statements]


def test_old_words_are_dropped_and_the_chain_stays_whole(filled, url):
    done = filled.retention.prune(DAYS_30)
    assert (done.entries, done.images) == (2, 0)
    assert summaries(filled) == [
        GONE,
        GONE,
        "third",
        "what 2 entries told was dropped, up to entry 2",
    ]
    assert filled.journal.entries()[0].data == {}
    check = filled.journal.verify()
    assert (check.ok, check.entries, check.pruned) == (True, 4, 2)
    filled.close()
    with open(url.removeprefix("sqlite:///"), "rb") as stream:  # noqa: PTH123
        assert b"ODD-VALUE" not in stream.read()


def test_nothing_that_is_young_is_dropped(filled):
    assert filled.retention.prune(timedelta(days=50)).entries == 0
    assert filled.journal.verify().pruned == 0
    assert len(summaries(filled)) == 3


def test_words_that_vanish_without_a_pruning_are_noticed(filled, url):
    raw(url, ("DELETE FROM bodies WHERE seq = 3",))
    check = filled.journal.verify()
    assert (check.ok, check.first_bad_seq) == (False, 3)
    assert check.reason == "what entry 3 told is gone, and no pruning dropped it"


def test_a_pruning_covers_nothing_that_came_after_it(filled, url):
    filled.retention.prune(DAYS_30)
    raw(url, ("DELETE FROM bodies WHERE seq = 3",))
    assert filled.journal.verify().first_bad_seq == 3


@pytest.mark.parametrize("column", ["summary", "data"])
def test_changed_words_are_noticed(filled, url, column):
    raw(url, (f"UPDATE bodies SET {column} = '{{}}' WHERE seq = 2",))
    check = filled.journal.verify()
    if column == "data":
        assert check.ok  # it was {} before
        raw(url, ("UPDATE bodies SET data = '{\"n\":2}' WHERE seq = 2",))
        check = filled.journal.verify()
    assert (check.ok, check.first_bad_seq) == (False, 2)
    assert check.reason == "what entry 2 tells was changed"


def test_what_another_target_remembers_is_kept(filled, opened, clock):
    other = opened("sqlite:/other.db")
    other.journal.append("kind", "of the other")
    clock.move(days=40)
    filled.retention.prune(DAYS_30)
    assert summaries(other) == ["of the other"]
    assert other.journal.verify().ok


def test_the_images_of_ended_repairs_and_old_titles_go(store, plan, limits, clock):
    images = (ChangeImage({"id": 1, "state": "dnoe"}, {"id": 1, "state": "DONE"}),)
    incident = store.incidents.open_or_get("r1", "drift", "", "holds ODD", ()).id
    store.approvals.request(
        incident, "r1", [AskedPlan("h", "ODD -> DONE", Tier.SAFE)], "me", timedelta(days=1)
    )
    for fix in ("F-1", "F-2"):
        store.fixes.intend(fix, plan(key=fix), limits)
        store.fixes.record_applied(fix, images)
    store.fixes.record_verified("F-1", "clear", "fine")
    store.incidents.move(incident, "closed", "over")
    clock.move(days=40)
    assert store.retention.prune(DAYS_30).images == 1
    assert store.fixes.get("F-1").images == ()
    assert store.fixes.get("F-2").images == images
    assert store.incidents.get(incident).title == ""
    assert store.approvals.get(incident).plans[0].summary == ""
    assert len(store.fixes.repairs("r1", "runs", "state", {"id": "F-1"})) == 1


@pytest.mark.slow
def test_a_cap_on_the_size_drops_the_oldest_first(store, clock):
    for number in range(2 * BATCH):
        store.journal.append("kind", f"{number} " + "x" * 500)
    before = store.retention.prune(None, None).size
    done = store.retention.prune(None, before * 4 // 5)
    assert done.entries == BATCH
    assert done.size <= before * 4 // 5
    assert summaries(store)[0] == GONE
    assert summaries(store)[BATCH].startswith(f"{BATCH} xxx")
    assert store.journal.verify().ok
    assert store.retention.prune(None, 1).entries == BATCH
    assert store.journal.verify().pruned == 2 * BATCH


def test_it_is_done_once_a_day(filled, clock):
    assert filled.retention.keep(None, None) is None
    assert filled.retention.keep(DAYS_30, None).entries == 2
    assert filled.retention.keep(DAYS_30, None) is None
    clock.move(days=1)
    assert filled.retention.keep(DAYS_30, None).entries == 0
    clock.move(days=-3)
    assert filled.retention.keep(DAYS_30, None) is not None


KILLED = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
import sqlalchemy as sa
from doctor.store import open_store
seen = 0
def die(*_):
    global seen
    seen += 1
    if seen == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(sa.Engine, sys.argv[3], die)
clock = lambda: datetime(2027, 1, 1, tzinfo=UTC)
with open_store(sys.argv[1], clock, target="sqlite:/app.db", create=True, busy_timeout=5) as store:
    store.retention.prune(timedelta(days=30), None)
"""


@pytest.mark.slow
def test_a_kill_anywhere_leaves_a_whole_chain(opened, url, clock, figure):
    store = opened()
    with store.transaction():
        for number in range(3 * BATCH):
            store.journal.append("kind", f"entry {number}")
    store.close()
    kills = 0
    for event in ("commit", "before_cursor_execute"):
        for point in range(1, 40, 1 if event == "commit" else 5):
            done = subprocess.run(
                [sys.executable, "-c", KILLED, url, str(point), event],
                env={**os.environ},
                timeout=60,
                check=False,
            )
            kills += done.returncode == -signal.SIGKILL
            with open_store(url, clock, target="sqlite:/app.db", create=True) as found:
                check = found.journal.verify()
                assert check.ok, (event, point, check)
            if not done.returncode:
                break
    figure(f"kills while pruning {kills}, broken chains 0")
    assert kills >= 8
    with open_store(url, clock, target="sqlite:/app.db", create=True) as found:
        assert found.journal.verify().pruned == 3 * BATCH
