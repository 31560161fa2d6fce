"""Killed, or with a failing disk, at every write: what is done is whole, known and undoable."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.faults.site import Case, Site, digest
from tests.support.faults.sweep import Fault, Sweep, Tally
from tests.support.faults.traced import warm
from tests.support.jobs import reply, serve
from tests.support.soak import PART, sized

CHANGING = (
    "write", "pwrite64", "fdatasync", "fsync", "ftruncate", "fallocate", "unlink", "unlinkat",
    "rename",
)  # fmt: skip
FULL = ("write", "pwrite64", "ftruncate", "fallocate", "mkdir", "openat", "rename")
FAILING = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "unlinkat")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed"),
]


@pytest.fixture(scope="module")
def memory():
    """Where nothing waits for a disk: a kill loses nothing that the system was given."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def folder(memory):
    """Return a folder of the test's own."""
    return Path(tempfile.mkdtemp(dir=memory))


def cases():
    """Return what is swept in a soak: other journal modes, sizes and beginnings."""
    return [
        Case(),
        Case(journal="wal", is_first=True),
        Case(journal="truncate", steps=20, padding=3000),
        Case(journal="persist", steps=0),
        Case(journal="delete", steps=40, padding=20000, is_first=True),
        Case(journal="wal", steps=12),
    ]


def faults_of(sweep, calls, what, *, is_lasting=False):
    return [Fault(one, what, is_lasting=is_lasting) for one in sweep.points if one.call in calls]


def test_a_kill_at_any_write_leaves_a_whole_repair_or_none(folder, figure):
    tally = Tally()
    wanted = sized(150, 5000)
    for number, case in enumerate(cases() * 4):
        if tally.ran >= wanted:
            break
        with ExitStack() as stack:
            sweep = Sweep(folder / str(number), case, stack)
            tally.merge(sweep.run(faults_of(sweep, CHANGING, "signal=KILL")))
    figure(f"SIGKILL: {tally}")
    assert not tally.wrong, tally.wrong[:10]
    assert tally.ran >= wanted
    assert {"nothing", "heal healed", "undo undone"} <= set(tally.answers)


def test_the_sweep_finds_a_marker_that_is_in_a_second_transaction(folder, figure):
    with ExitStack() as stack:
        sweep = Sweep(folder, Case(steps=0), stack, "split", slots=1)
        faults = faults_of(sweep, ("fdatasync", "unlink"), "signal=KILL")
        tally = sweep.run(faults, enough=1)
    figure(f"SIGKILL, marker in a second transaction: found after {tally.ran} of {len(faults)}")
    assert tally.count("half")


def errors_of(sweep):
    """Return every error at every point: the disk is full or broken, once or from there on."""
    return [
        Fault(one, f"error={error}", is_lasting=is_lasting)
        for one in sweep.points
        for error, calls in (("ENOSPC", FULL), ("EIO", FAILING))
        for is_lasting in (False, True)
        if one.call in calls
    ]


def test_an_error_at_any_write_loses_nothing_that_was_told(folder, figure):
    tally = Tally()
    wanted = sized(180, 2000)
    for number, case in enumerate(cases() if PART else [Case()]):
        if tally.ran >= wanted:
            break
        with ExitStack() as stack:
            sweep = Sweep(folder / str(number), case, stack)
            faults = errors_of(sweep)
            step = max(1.0, len(faults) / (wanted - tally.ran + 10))
            some = [faults[int(at * step)] for at in range(int(len(faults) / step))]
            tally.merge(sweep.run(some))
    figure(f"ENOSPC and EIO, once and lasting: {tally}")
    assert not tally.wrong, tally.wrong[:10]
    assert tally.ran >= wanted * 0.9, tally.missed


def test_a_repair_whose_check_fails_is_undone_whatever_it_is_killed_at(folder, figure):
    """The undo that follows by itself is finished by recovery, and only that one."""

    def broken(handler):
        if handler.path == "/openapi.json":
            return False
        reply(handler, 500, "Internal Server Error")
        return True

    with serve(folder / "none.db", broken) as address, ExitStack() as stack:
        case = Case(api=address, work="heal", steps=0)
        sweep = Sweep(folder, case, stack, slots=1)
        faults = faults_of(sweep, CHANGING, "signal=KILL")
        tally = sweep.run(faults if PART else faults[len(faults) // 2 :: 5])
    figure(f"SIGKILL, check fails: {tally}")
    assert not tally.wrong, tally.wrong[:10]
    assert tally.ran >= 10


@pytest.fixture(scope="module")
def doctor(memory):
    """One system and its warm doctor."""
    with warm(Site(memory / "one", Case(steps=0))) as one:
        yield one


@pytest.fixture
def site(doctor):
    """Begin again; anybody may write to it."""
    doctor.site.reset()
    for one in [doctor.site.folder, *doctor.site.folder.rglob("*")]:
        one.chmod(0o777)
    return doctor


def settled(doctor, said):
    """Return what the audit finds wrong once nothing stands in the way."""
    place = doctor.site
    known = {"sick": place.sick, "healed": place.healed, "said": said, "is_healable": True}
    return doctor.run("audit", known).said[-1][1]


@pytest.mark.parametrize("name", ["jobs.db", "store.db", "folder"])
def test_what_is_read_only_is_one_clear_outcome(site, name):
    here = site.site.database.parent
    found = here if name == "folder" else here / name
    found.chmod(0o555)
    ended = site.run("work", "heal", 65534)
    found.chmod(0o777)
    [[what, status, *rest]] = ended.said
    assert (ended.code, what) == (0, "heal")
    if name != "jobs.db":
        assert (status, rest[0]) == ("error", "UsageError")
        assert "cannot be opened or written" in rest[1]
    else:
        assert status == "undone"
        assert [result for _, result in rest[0]] == ["not_applied"]
    assert digest(site.site.database) == site.site.sick
    assert settled(site, ended.said) == []


@pytest.mark.parametrize(
    ("part", "name", "begin"),
    [
        ("heal", "jobs.db", "IMMEDIATE"),
        ("heal", "jobs.db", "EXCLUSIVE"),
        ("heal", "store.db", "IMMEDIATE"),
        ("undo", "jobs.db", "IMMEDIATE"),
        ("undo", "store.db", "IMMEDIATE"),
    ],
)
def test_what_is_locked_is_one_clear_outcome(site, part, name, begin):
    if part == "undo":
        assert site.run("work", "heal").said[0][1] == "healed"
    before = digest(site.site.database)
    holder = sqlite3.connect(site.site.database.with_name(name), isolation_level=None)
    holder.execute(f"BEGIN {begin}")
    ended = site.run("work", part)
    holder.execute("ROLLBACK")
    holder.close()
    [[what, status, *rest]] = ended.said
    assert (ended.code, what) == (0, part)
    assert status in ("error", "undone", "unknown")
    assert status != "undone" or [result for _, result in rest[0]] == ["not_applied"]
    assert status != "error" or "locked" in rest[1]
    assert digest(site.site.database) == before
    assert settled(site, ended.said) == []
