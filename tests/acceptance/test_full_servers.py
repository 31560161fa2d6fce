"""A disk that is full on a server stops a repair between two batches, and nothing is half done."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.columns import orders
from tests.support.soak import PART
from tests.support.terminal import say

_STARTED = "EXISTS (SELECT 1 FROM doctor_applied WHERE kind LIKE 'b%')"

pytestmark = pytest.mark.slow
BAD = 3_000
SERVERS = ["postgresql", "mariadb"]
FREE = 96 * 1024
FULL = {
    "postgresql": (
        (
            "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {_STARTED} THEN RAISE EXCEPTION 'No space left on device'"
            " USING ERRCODE = 'disk_full'; END IF; RETURN new; END $$"
        ),
        (
            "CREATE TRIGGER fill BEFORE INSERT ON doctor_applied"
            " FOR EACH ROW EXECUTE FUNCTION fill()"
        ),
    ),
    "mariadb": (
        (
            "CREATE TRIGGER fill BEFORE INSERT ON doctor_applied FOR EACH ROW"
            f" IF {_STARTED} THEN SIGNAL SQLSTATE 'HY000'"
            " SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'; END IF"
        ),
    ),
}
EMPTY = {
    "postgresql": "DROP TRIGGER fill ON doctor_applied",
    "mariadb": "DROP TRIGGER fill",
}


@pytest.fixture(params=SERVERS)
def system(request, tmp_path, monkeypatch):
    monkeypatch.setattr("doctor.treatment.column_plan.MANY_ROWS", 10_000)
    with orders(request.param, tmp_path, bad=BAD) as made:
        yield made


def ask(system, *arguments):
    return say(*arguments, "--config", str(system.config), "--format", "json")


def stops_between_batches(system, said):
    """Assert that whole batches were done; return their fix."""
    outcome = said.json["outcome"]
    assert (said.code, outcome["result"]) == (9, "unknown"), said.out
    assert any(one in outcome["reason"] for one in ("full", "No space left"))
    assert 0 < outcome["done"] < BAD
    assert system.states()["READY"] == BAD - outcome["done"]
    return outcome["fix"]


def goes_on(system, fix, before):
    """Assert that recovery does the rest, once, and undo brings everything back."""
    assert ask(system, "recover").code == 0
    assert system.states() == {"QUEUED": BAD + 7, "RUNNING": 7, "DONE": 6}
    assert ask(system, "undo", fix).code == 0
    assert system.dump() == before


def test_the_servers_own_error_of_a_full_disk_leaves_whole_batches(system):
    before = system.dump()
    assert ask(system, "heal", "3").json["status"] == "healed"  # the marker's table is there now
    system.execute("UPDATE orders SET state = 'READY' WHERE number = 3")
    system.ground.execute(*FULL[system.engine])
    fix = stops_between_batches(system, ask(system, "repair", "orders.state"))
    again = ask(system, "recover")
    assert again.code == 9, again.out
    system.ground.execute(EMPTY[system.engine])
    goes_on(system, fix, before)


@contextmanager
def small_disk(owner: int) -> Iterator[Path]:
    """Mount a disk of 4 MB that the owner may write; skip where nothing may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="doctor-disk-", dir="/tmp"))
    command = ["mount", "-t", "tmpfs", "-o", f"size=4m,mode=700,uid={owner}", "tmpfs", str(folder)]
    try:
        folder.chmod(0o755)
        mounted = subprocess.run(command, capture_output=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"nothing may be mounted here: {mounted.stderr.decode().strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        folder.rmdir()


def leave(folder: Path, free: int) -> Path:
    """Fill a disk up; return the file that does it."""
    filler = folder / "filler"
    room = os.statvfs(folder)
    filler.write_bytes(b"x" * (room.f_bavail * room.f_frsize - free))
    return filler


def owner_of(system) -> int:
    """Return the account that the server runs as, where its files lie on this machine."""
    [(place,)] = system.query("SHOW data_directory")
    if not Path(place).exists() or os.geteuid() != 0:
        pytest.skip("the server's disk is not on this machine, or not ours to mount")
    return Path(place).stat().st_uid


@pytest.mark.soak
@pytest.mark.skipif(not PART, reason="it mounts a disk below the server: in a soak only")
@pytest.mark.parametrize("system", ["postgresql"], indirect=True)
def test_a_disk_that_is_full_leaves_whole_batches(system):
    """MariaDB ends itself on such a disk, so a server that others use is not asked."""
    ground, before = system.ground, system.dump()
    with small_disk(owner_of(system)) as disk:
        ground.execute(
            f"CREATE TABLESPACE {ground.name} LOCATION '{disk}'",
            f"ALTER TABLE orders SET TABLESPACE {ground.name}",
        )
        filler = leave(disk, FREE)
        try:
            said = ask(system, "repair", "orders.state")
            filler.unlink()
            goes_on(system, stops_between_batches(system, said), before)
        finally:
            ground.execute(
                "ALTER TABLE orders SET TABLESPACE pg_default",
                f"DROP TABLESPACE {ground.name}",
            )
