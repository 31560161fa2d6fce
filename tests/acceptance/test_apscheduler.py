"""A product that deletes what it cannot read: Doctor looks at the database before anybody asks it.

Nothing here but the description (rules/doctor_rules/systems/apscheduler.yaml) knows APScheduler.
"""

from __future__ import annotations

import pickle
import sqlite3
from contextlib import closing, contextmanager

import pytest
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from doctor.schema.stored_objects import flaw
from tests.support.products import nothing_left_open
from tests.support.servers import ENGINES, fresh
from tests.support.terminal import say

pytestmark = pytest.mark.filterwarnings("ignore")
DRIVERS = {"postgresql": "postgresql+psycopg://", "mariadb": "mysql+pymysql://"}


@contextmanager
def scheduler(url):
    """Run the product on a database, without letting it carry out anything."""
    with nothing_left_open():
        found = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(url=url)})
        found.start(paused=True)
        try:
            yield found
        finally:
            found.shutdown()


def fill(url):
    with scheduler(url) as one:
        for number in range(4):
            one.add_job("os:getpid", "interval", hours=1, id=f"job-{number}")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "jobs.db"
    fill(f"sqlite:///{path}")
    return path


def spoil(path, expression):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE apscheduler_jobs SET job_state = {expression} WHERE id='job-1'")


def looked_at(url, *command):
    return say(*command, "--system", "apscheduler", "--database", url, "--format", "json")


def test_healthy_jobs_have_no_finding_and_no_gap(path):
    said = looked_at(f"sqlite:///{path}", "preflight")
    assert (said.code, said.json["runs"], said.json["gaps"]) == (0, 4, [])


@pytest.mark.parametrize(
    "expression",
    ["substr(job_state, 1, 100)", "x''", "x'00ff'", "'text'", "substr(job_state, 5)"],
)
def test_an_unreadable_job_is_diagnosed_and_its_row_stays(path, expression):
    spoil(path, expression)
    before = path.read_bytes()
    url = f"sqlite:///{path}"
    said = looked_at(url, "preflight")
    [sick] = said.json["sick"]
    [one] = sick["diagnoses"]
    assert (said.code, sick["run"], one["code"]) == (3, "job-1", "DB052")
    assert one["subject"]["key"] == {"id": "job-1"}
    assert "delete the row" in one["blast"]
    assert looked_at(url, "diagnose", "job-1").code == 3
    assert looked_at(url, "diagnose", "job-2").code == 0
    assert looked_at(url, "heal", "job-1").json["plan"] is None
    assert path.read_bytes() == before
    with scheduler(url) as product:  # what it does to the evidence
        assert len(product.get_jobs()) == 3
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM apscheduler_jobs").fetchone() == (3,)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_unreadable_job_is_found_on_servers(engine):
    with fresh(engine) as ground:
        fill(ground.url.replace(f"{engine}://", DRIVERS[engine]))
        assert looked_at(ground.url, "preflight").code == 0
        empty = "''" if engine == "mariadb" else "'\\x'::bytea"
        ground.execute(f"UPDATE apscheduler_jobs SET job_state = {empty} WHERE id = 'job-1'")
        said = looked_at(ground.url, "preflight")
        assert (said.code, [one["run"] for one in said.json["sick"]]) == (3, ["job-1"])
        assert ground.query("SELECT count(*) FROM apscheduler_jobs") == [(4,)]


def test_an_api_in_front_of_it_is_not_asked(path):
    said = looked_at(f"sqlite:///{path}", "preflight", "--api", "http://127.0.0.1:9")
    [gap] = said.json["gaps"]
    assert (said.code, gap["probe"]) == (9, "api.get_run")
    assert "deletes the rows" in gap["reason"]


def test_another_name_of_the_table_is_set_once(path, tmp_path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE apscheduler_jobs RENAME TO my_jobs")
        connection.execute("UPDATE my_jobs SET job_state = x'80' WHERE id = 'job-3'")
    config = tmp_path / "doctor.toml"
    config.write_text('[system]\nkind = "apscheduler"\n[system.runs]\ntable = "my_jobs"\n')
    url = f"sqlite:///{path}"
    said = say("preflight", "--config", str(config), "--database", url, "--format", "json")
    assert [one["run"] for one in said.json["sick"]] == ["job-3"]


class Trap:
    """What a pickle may do to whoever unpacks it."""

    def __reduce__(self):
        return exec, ("raise SystemExit('it was unpacked')",)


def test_an_object_is_never_unpacked_and_only_its_form_is_judged():
    assert flaw(pickle.dumps(Trap())) is None
    for version in range(pickle.HIGHEST_PROTOCOL + 1):
        whole = pickle.dumps({"a": [1, (2.5, None)], "b": b"x" * 300}, version)
        assert flaw(whole) is None
        assert [at for at in range(len(whole)) if flaw(whole[:at]) is None] == []
