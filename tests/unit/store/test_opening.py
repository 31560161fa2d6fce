from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from doctor.errors import SourceError, UsageError
from doctor.store import open_store
from doctor.store import opening as opening_module

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(url):
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def sql(path):
    def sql(*statements):
        with closing(sqlite3.connect(path)) as connection, connection:
            return [connection.execute(statement).fetchall() for statement in statements]

    return sql


def test_reading_a_store_that_does_not_exist_creates_nothing(url, clock, tmp_path):
    assert open_store(url, clock, target="t", create=False) is None
    assert open_store(f"sqlite:///{tmp_path}/a/b.db", clock, target="t", create=False) is None
    assert list(tmp_path.iterdir()) == []


def test_reading_an_empty_database_finds_no_store_and_leaves_it_empty(url, clock, path, sql):
    path.touch()
    assert open_store(url, clock, target="t", create=False) is None
    assert path.stat().st_size == 0
    sql("PRAGMA user_version=1")
    assert open_store(url, clock, target="t", create=False) is None


def test_a_store_is_created_with_its_folders_and_found_again(tmp_path, clock, state):
    url = f"sqlite:///{tmp_path}/new/folder/doctor%20%3F.db"
    with open_store(url, clock, target="t", create=True) as store:
        entry = store.journal.append("kind", "summary")
        assert (store.url, store.target) == (url, "t")
    path = tmp_path / "new" / "folder" / "doctor ?.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = open_store(url, clock, target="t", create=False)
    assert again
    with again:
        assert again.journal.entries() == (entry,)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert [one.name for one in state.iterdir()] == ["heads"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # 3.13 warns of it
def test_a_store_that_is_dropped_unclosed_lets_go_of_its_files(url, clock, path):
    open_store(url, clock, target="t", create=True).journal.append("kind", "summary")
    gc.collect()
    assert [one.name for one in path.parent.iterdir() if one.is_file()] == [path.name]


def test_the_store_syncs_every_commit_and_lets_readers_in_beside_a_writer(store, sql):
    with store._session.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert sql("PRAGMA journal_mode") == [[("wal",)]]
    with store.transaction():
        store.journal.append("kind", "unseen")
        assert sql("SELECT count(*) FROM journal") == [[(0,)]]


def test_a_store_works_where_no_write_ahead_log_can_be(opened, sql, monkeypatch):
    monkeypatch.setattr(opening_module, "prefer_wal", lambda _: None)
    store = opened()
    store.journal.append("kind", "summary")
    assert sql("PRAGMA journal_mode") == [[("delete",)]]
    monkeypatch.undo()
    with closing(sqlite3.connect(store._session.url.removeprefix("sqlite:///"))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM journal").fetchall()
        opened(busy_timeout=0.01)
        reader.rollback()
        assert reader.execute("PRAGMA journal_mode").fetchall() == [("delete",)]


@pytest.mark.slow
def test_processes_that_create_a_store_at_once_share_it(url, together, opened, state):
    script = (
        "import os\nfrom datetime import *\nfrom doctor.store import *\n"
        "os.environ['DOCTOR_STATE_DIR'] = sys.argv[2]\n".replace("sys.", "__import__('sys').")
        + "# gate\nwith open_store(sys.argv[1], lambda: datetime.now(UTC), target='t', create=True)"
        " as store:\n    store.journal.append('kind', 'summary')\n"
    )
    together(script, [[url, str(state)]] * 6)
    check = opened().journal.verify()
    assert (check.ok, check.entries) == (True, 6)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE meta SET value='5' WHERE name='doctor_schema'", "written by a newer version"),
        ("UPDATE meta SET value='x' WHERE name='doctor_schema'", "not a store of doctor"),
        ("DELETE FROM meta", "not a store of doctor"),
        ("DROP TABLE meta", "not a store of doctor"),
        ("ALTER TABLE meta RENAME COLUMN value TO other", "not a store of doctor"),
        ("DELETE FROM meta WHERE name='store_id'", "is damaged: it has no name"),
        ("UPDATE meta SET value='../x' WHERE name='store_id'", "is damaged: it has no name"),
        ("DROP TABLE budget", "table 'budget' lacks"),
        ("ALTER TABLE fixes DROP COLUMN images", r"table 'fixes' lacks \['images'\]"),
    ],
)
def test_what_is_no_usable_store_is_named_and_left_alone(
    store, sql, url, clock, damage, message, create
):
    store.close()
    sql(damage)
    with pytest.raises(UsageError, match=message) as refused:
        open_store(url, clock, target="t", create=create)
    assert refused.value.exit_code == 2
    assert "doctor.db" in str(refused.value)


@pytest.mark.parametrize("create", [True, False])
def test_somebody_elses_database_is_never_written_to(url, clock, path, sql, create):
    sql("CREATE TABLE runs (id)", "CREATE TABLE meta (a)")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="not a store of doctor"):
        open_store(url, clock, target="t", create=create)
    assert path.read_bytes() == before


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_is_a_clear_error(url, clock, path, create):
    path.write_text("not a database " * 100)
    with pytest.raises(UsageError, match="is damaged or not a store: file is not a database"):
        open_store(url, clock, target="t", create=create)


def test_a_store_with_broken_pages_is_a_clear_error_when_they_are_met(store, path, opened):
    for number in range(200):
        store.journal.append("kind", f"{number}" * 50)
    store.close()
    data = bytearray(path.read_bytes())
    data[-40_000:] = os.urandom(40_000)
    path.write_bytes(data)
    with pytest.raises(UsageError, match="is damaged or not a store"):
        _use(opened)


def _use(opened):
    store = opened()
    store.journal.entries()
    store.journal.append("kind", "summary")
    store.incidents.open_or_get("r", "c", "", "t")


def test_a_store_that_vanishes_is_a_clear_error(store, path):
    store.close()
    path.unlink()
    with pytest.raises(UsageError, match="cannot be opened or written: unable to open"):
        store.journal.entries()


def test_a_locked_store_is_a_gap_not_a_usage_error(opened, url, clock, path):
    opened().close()
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        holder.execute("DELETE FROM budget")
        with pytest.raises(SourceError, match="is locked by another program") as locked:
            open_store(url, clock, target="t", create=False, busy_timeout=0.01)
        assert locked.value.exit_code == 9
        holder.execute("ROLLBACK")


def test_a_writer_that_takes_too_long_is_named_to_the_next(opened, path):
    store = opened(busy_timeout=0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert store.journal.entries() == ()
        with pytest.raises(SourceError, match="is locked by another program"):
            store.journal.append("kind", "summary")
        holder.execute("ROLLBACK")
    assert store.journal.append("kind", "summary").seq == 1


@pytest.mark.parametrize(
    ("place", "message"),
    [("file/doctor.db", "Not a directory|File exists"), ("folder", "Is a directory")],
)
def test_a_place_where_no_store_can_be_is_a_clear_error(tmp_path, clock, place, message):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=message):
        open_store(f"sqlite:///{tmp_path}/{place}", clock, target="t", create=True)


def test_a_folder_is_no_store(tmp_path, clock):
    with pytest.raises(UsageError, match="unable to open database file"):
        open_store(f"sqlite:///{tmp_path}", clock, target="t", create=False)


def test_a_name_that_no_file_can_have_is_a_clear_error(tmp_path, clock):
    url = f"sqlite:///{tmp_path}/{'x' * 300}"
    with pytest.raises(UsageError, match="cannot be opened: File name too long"):
        open_store(url, clock, target="t", create=False)
    with pytest.raises(UsageError, match="cannot be created or written: File name too long"):
        open_store(url, clock, target="t", create=True)


def test_other_engines_are_refused_without_their_password(clock):
    with pytest.raises(UsageError, match="is not SQLite") as refused:
        open_store("postgresql://u:s3cret@h/d", clock, target="t", create=True)
    assert "s3cret" not in str(refused.value)
    with pytest.raises(UsageError, match="in memory"):
        open_store("sqlite://", clock, target="t", create=True)
    with pytest.raises(UsageError, match="is not a database URL"):
        open_store("doctor.db", clock, target="t", create=True)


ANOTHER_USER = """
import os, sys
from datetime import *
from doctor.errors import DoctorError
from doctor.store import open_store, resolve_store
os.environ["DOCTOR_STATE_DIR"] = "/nowhere/at/all"
clock = lambda: datetime(2026, 1, 1, tzinfo=UTC)
open_store(sys.argv[2], clock, target="t", create=True).close()
os.setuid(65534)
for create in (True, False):
    try:
        store = open_store(sys.argv[1], clock, target="t", create=create)
        print("read", len(store.journal.entries()))
        store.journal.append("kind", "summary")
    except DoctorError as error:
        print(error.exit_code, str(error).rpartition(": ")[2])
"""


@pytest.mark.parametrize(
    ("folder_mode", "answers"),
    [
        (0o755, ["2 Permission denied", "2 attempt to write a readonly database"]),
        (0o777, ["2 Permission denied", "read 1", "2 attempt to write a readonly database"]),
        (0o700, ["2 Permission denied", "2 Permission denied"]),
    ],
)
def test_a_store_that_may_not_be_written_is_a_clear_error(clock, tmp_path, folder_mode, answers):
    other = f"sqlite:///{tmp_path}/other.db"
    folder = Path(tempfile.mkdtemp())
    try:
        url = f"sqlite:///{folder}/doctor.db"
        with open_store(url, clock, target="t", create=True) as store:
            store.journal.append("kind", "summary")
        (folder / "doctor.db").chmod(0o444)
        folder.chmod(folder_mode)
        if os.geteuid() != 0:
            pytest.skip("only root can become another user")
        done = subprocess.run(
            [sys.executable, "-W", "error", "-B", "-c", ANOTHER_USER, url, other],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        shutil.rmtree(folder)
    assert (done.stdout.splitlines(), done.stderr) == (answers, "")
