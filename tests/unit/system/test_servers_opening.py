"""What is wrong with a URL, an account or a server is said clearly, and with the right code."""

from __future__ import annotations

import builtins
import select
import socket
import sys
import threading
import time
from contextlib import closing

import pytest

from doctor.errors import SourceError, UsageError
from doctor.model.change import SetCells
from doctor.system.database import open_read_door, open_write_door, server
from doctor.system.database.reading import CoreReadDoor
from tests.support.ports import server as loopback

pytestmark = pytest.mark.slow

CHANGE = SetCells("runs", {"id": 1}, {"state": "x"}, {"state": "y"})
RUNS = (
    "CREATE TABLE runs (id INT PRIMARY KEY, state VARCHAR(9))",
    "INSERT INTO runs VALUES (1, 'x')",
)
SECRET = "Xk3-vW9.pQ7"


def both(url):
    """Return what the read door and the write door raise."""
    found = []
    with pytest.raises(Exception) as caught:
        open_read_door(url).tables()
    found.append(caught.value)
    with (
        pytest.raises(Exception) as caught,
        open_write_door(url, create_marker=True).transaction() as transaction,
    ):
        transaction.fence(1, "me")
        transaction.set_cells(CHANGE)
    return (*found, caught.value)


def texts(error):
    parts = []
    while error is not None:
        parts.append(f"{error!r} {error} {getattr(error, 'hint', '')}")
        error = error.__cause__ or error.__context__
    return " ".join(parts)


@pytest.fixture
def account(ground):
    """An account of the server that may look at everything and change nothing."""
    name = ground.name[:30]
    if ground.engine == "postgresql":
        ground.execute(f"CREATE ROLE {name} LOGIN", f"GRANT pg_read_all_data TO {name}")
    else:
        ground.execute(
            f"CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{SECRET}'",
            f"GRANT SELECT ON {ground.name}.* TO {name}@'127.0.0.1'",
        )
    yield ground.as_user(name, SECRET)
    if ground.engine == "postgresql":
        ground.execute(f"DROP OWNED BY {name}", f"DROP ROLE {name}")
    else:
        ground.execute(f"DROP USER {name}@'127.0.0.1'")


def test_a_database_that_is_not_there_is_a_usage_error(ground):
    url = ground.place.set(database="no_such_database").render_as_string(False)
    for error in both(url):
        assert isinstance(error, UsageError)
        assert "the database cannot be used: " in str(error)
        assert "no_such_database" in str(error)
        assert error.hint == server.NAME


def test_an_account_that_is_not_there_is_a_usage_error(ground):
    for error in both(ground.as_user("no_such_account", SECRET)):
        assert isinstance(error, UsageError)
        assert "no_such_account" in str(error)
        assert error.hint == server.ACCOUNT
        assert SECRET not in texts(error)


def test_a_wrong_password_is_a_usage_error_that_does_not_repeat_it(mariadb):
    mariadb.execute(f"CREATE USER {mariadb.name[:30]}@'127.0.0.1' IDENTIFIED BY 'another'")
    try:
        for error in both(mariadb.as_user(mariadb.name[:30], SECRET)):
            assert isinstance(error, UsageError)
            assert error.hint == server.ACCOUNT
            assert SECRET not in texts(error)
    finally:
        mariadb.execute(f"DROP USER {mariadb.name[:30]}@'127.0.0.1'")


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_server_that_is_not_there_is_a_source_error(engine):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    for error in both(f"{engine}://u:{SECRET}@127.0.0.1:{port}/x"):
        assert isinstance(error, SourceError)
        assert error.hint == server.UNREACHABLE
        assert SECRET not in texts(error)


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_server_that_says_nothing_is_given_up(engine, monkeypatch):
    for name in ("CONNECT_SECONDS", "READ_SECONDS", "WRITE_SECONDS"):
        monkeypatch.setattr(server, name, 2)
    started = time.monotonic()
    with loopback(lambda _: time.sleep(20)) as port:
        for error in both(f"{engine}://u:{SECRET}@127.0.0.1:{port}/x"):
            assert isinstance(error, SourceError)
            assert error.hint == server.UNREACHABLE
            assert SECRET not in texts(error)
    assert time.monotonic() - started < 15


def between(ground, silent):
    """Return a server side that passes everything on, until ``silent`` is set."""

    def serve(client):
        with closing(socket.create_connection((ground.place.host, ground.place.port))) as far:
            sides = {client: far, far: client}
            while True:
                ready, _, _ = select.select(list(sides), [], [], 0.1)
                for one in ready:
                    data = one.recv(65_536)
                    if not data:
                        return
                    if not silent.is_set():
                        sides[one].sendall(data)

    return serve


def test_a_server_that_falls_silent_is_given_up(ground, monkeypatch):
    for name in ("READ_SECONDS", "WRITE_SECONDS"):
        monkeypatch.setattr(server, name, 1.0)
    ground.execute(*RUNS)
    silent = threading.Event()
    with loopback(between(ground, silent)) as port:
        url = ground.place.set(host="127.0.0.1", port=port).render_as_string(False)
        read = open_read_door(url)
        (runs,) = read.tables()
        assert isinstance(read, CoreReadDoor)
        started = time.monotonic()
        with pytest.raises(SourceError), read._session() as connection:
            silent.set()
            connection.exec_driver_sql("SELECT 1")
        silent.clear()
        assert read.count(runs, {}) == 1
        with (
            pytest.raises(SourceError),
            open_write_door(url, create_marker=True).transaction() as transaction,
        ):
            transaction.set_cells(CHANGE)
            silent.set()
        silent.clear()
        assert time.monotonic() - started < 15
    until = time.monotonic() + 10
    while ground.query("SELECT * FROM runs FOR UPDATE") != [(1, "x")] and time.monotonic() < until:
        time.sleep(0.1)
    assert ground.query("SELECT * FROM runs") == [(1, "x")]


def test_an_account_that_may_only_read_reads_and_changes_nothing(ground, account):
    ground.execute(*RUNS)
    read = open_read_door(account)
    (runs,) = read.tables()
    assert read.rows(runs, {}, limit=2) == ({"id": 1, "state": "x"},)
    assert read.newest_token() == 0
    for work in (lambda it: it.fence(1, "me"), lambda it: it.set_cells(CHANGE)):
        with (
            pytest.raises(SourceError) as caught,
            open_write_door(account, create_marker=True).transaction() as transaction,
        ):
            work(transaction)
        assert caught.value.hint == server.PERMISSION
        assert "denied" in str(caught.value)
    assert ground.query("SELECT * FROM runs") == [(1, "x")]
    assert [one.name for one in open_read_door(ground.url).tables()] == ["runs"]


def test_a_database_that_takes_no_writes_is_left_alone(ground):
    ground.execute(*RUNS)
    if ground.engine == "postgresql":
        ground.execute(f"ALTER DATABASE {ground.name} SET default_transaction_read_only = on")
        url = ground.url
    else:
        url = ground.with_query(init_command="SET SESSION TRANSACTION READ ONLY")
    with (
        pytest.raises(SourceError) as caught,
        open_write_door(url, create_marker=True).transaction() as transaction,
    ):
        transaction.set_cells(CHANGE)
    assert caught.value.hint == server.READ_ONLY
    assert ground.query("SELECT * FROM runs") == [(1, "x")]


@pytest.mark.parametrize("driver", ["", "+psycopg", "+psycopg2", "+asyncpg"])
def test_any_driver_in_a_postgresql_url_means_the_same(postgresql, driver):
    url = postgresql.url.replace("postgresql://", f"postgresql{driver}://")
    assert open_read_door(url).tables() == ()


@pytest.mark.parametrize(
    "scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+mariadbconnector"]
)
def test_any_driver_in_a_mariadb_url_means_the_same(mariadb, scheme):
    assert open_read_door(mariadb.url.replace("mariadb://", f"{scheme}://")).tables() == ()


def test_an_option_that_the_driver_does_not_know_is_a_usage_error(postgresql):
    for error in both(postgresql.with_query(ssl="require")):
        assert isinstance(error, UsageError)
        assert "ssl" in str(error)


@pytest.mark.parametrize(("engine", "module"), [("postgresql", "psycopg"), ("mariadb", "pymysql")])
def test_a_driver_that_is_not_installed_is_named_with_its_extra(engine, module, monkeypatch):
    imported = builtins.__import__

    def missing(name, *rest):
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return imported(name, *rest)

    for one in [one for one in sys.modules if one.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, one)
    monkeypatch.setattr(builtins, "__import__", missing)
    for opened in (open_read_door, open_write_door):
        with pytest.raises(UsageError) as caught:
            opened(f"{engine}://u:{SECRET}@127.0.0.1/x")
        assert f"the driver of {engine} databases is not installed" in str(caught.value)
        assert caught.value.hint == f"pip install 'run-doctor[{engine}]'"


def test_a_server_that_quotes_names_by_double_quotes_is_read_all_the_same(mariadb):
    mariadb.execute('CREATE TABLE `a"b` (`select` INT PRIMARY KEY)')
    [(before,)] = mariadb.query("SELECT @@global.sql_mode")
    mariadb.execute("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
    try:
        read = open_read_door(mariadb.url)
        (only,) = read.tables()
        assert read.count(only, {"select": 1}) == 0
    finally:
        mariadb.execute(f"SET GLOBAL sql_mode = '{before}'")
