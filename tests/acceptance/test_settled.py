"""A commit whose report is lost: the marker is asked, and what cannot be learned is unknown."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from doctor.cli.human.treatment import treatment
from doctor.doctor import Doctor
from doctor.settings import load_settings
from doctor.store import open_store
from doctor.system.database import open_write_door
from doctor.treatment.settle import UnsettledError
from doctor.treatment.track_record import ON_REQUEST, failed_rungs
from doctor.treatment.undo import UndoError, undo_fix
from tests.support.faults.doors import LostDoor
from tests.support.jobs import reply, serve


class LossyDoctor(Doctor):
    """Repairs through a door that loses the report of a commit."""

    deaf = 0
    is_done = True
    at = 1

    def _clinic(self, system, probes, store, door):
        clinic = super()._clinic(system, probes, store, door)
        door = LostDoor(clinic.door, self.deaf, is_done=self.is_done, at=self.at)
        return replace(clinic, door=door)


@pytest.fixture
def file(jobs, tmp_path):
    """Configure the jobs without their API."""
    found = tmp_path / "doctor.toml"
    found.write_text(
        f'engine = "reference"\n[system]\ndatabase = "{jobs.url}"\nmodels = "{jobs.models}"\n'
        f'[store]\nurl = "sqlite:///{tmp_path}/store.db"\n',
        encoding="utf-8",
    )
    return found


def lossy(file, *, deaf=0, is_done=True):
    doctor = LossyDoctor(load_settings(file))
    doctor.deaf, doctor.is_done = deaf, is_done
    return doctor


def states(doctor):
    return [one.state for one in doctor.memory.open_for_reading().fixes.find()]


def test_a_commit_that_happened_is_believed_whatever_was_reported(jobs, file):
    with lossy(file) as doctor:
        done = doctor.treat(jobs.runs["case"])
        assert (done.status, done.outcomes[0].result) == ("healed", "applied")
        assert (states(doctor), jobs.cell(jobs.runs["case"])) == (["verified"], "waiting")


def test_a_commit_that_did_not_happen_is_not_applied(jobs, file):
    before = jobs.dump()
    with lossy(file, is_done=False) as doctor:
        done = doctor.treat(jobs.runs["case"])
        assert (done.status, done.outcomes[0].result) == ("undone", "not_applied")
        assert (states(doctor), jobs.dump()) == (["not_applied"], before)


def test_what_cannot_be_learned_is_unknown_until_recovery_learns_it(jobs, file):
    with lossy(file, deaf=1) as doctor:
        done = doctor.treat(jobs.runs["case"])
        assert (done.status, done.exit_code) == ("unknown", 9)
        [outcome] = done.outcomes
        assert (outcome.result, outcome.verified) == ("unknown", None)
        assert states(doctor) == ["intended"]
        text = treatment(done)
        assert "unknown, not settled: whether the change was committed is unknown" in text
        assert text.rstrip().endswith("next: doctor recover")
        assert [one.state for one in doctor.recover()] == ["verified"]
        assert jobs.cell(jobs.runs["case"]) == "waiting"


def test_an_undo_after_a_failed_check_may_be_unknown_too(jobs, file):
    def broken(handler):
        if handler.path == "/openapi.json":
            return False
        reply(handler, 500, "Internal Server Error")
        return True

    with serve(jobs.database, broken) as address:
        text = file.read_text(encoding="utf-8").replace("\nmodels", f'\napi = "{address}"\nmodels')
        file.write_text(text, encoding="utf-8")
        with lossy(file, deaf=1) as doctor:
            doctor.at = 2
            done = doctor.treat(jobs.runs["case"])
            assert (done.status, done.exit_code) == ("unknown", 9)
            [outcome] = done.outcomes
            assert (outcome.result, outcome.verified) == ("unknown", "failed")
            assert states(doctor) == ["undoing"]
            assert [one.state for one in doctor.recover()] == ["undone"]


@pytest.fixture
def healed(jobs, file):
    """Return what an undo needs: the fix, a door, the store."""
    with Doctor(load_settings(file)) as doctor:
        [outcome] = doctor.treat(jobs.runs["case"]).outcomes
    store = open_store(
        f"sqlite:///{file.parent}/store.db",
        lambda: datetime.now(UTC),
        target=doctor.memory.identity,
        create=True,
        busy_timeout=0.1,
    )
    with store:
        yield store.fixes.get(outcome.fix), open_write_door(jobs.url), store


def test_an_undo_that_happened_is_believed_whatever_was_reported(jobs, healed):
    fix, door, store = healed
    assert undo_fix(fix, LostDoor(door), store, ON_REQUEST).state == "undone"
    assert jobs.cell(jobs.runs["case"]) == "WAITING"


def test_an_undo_that_did_not_happen_is_pending_and_may_be_done_again(jobs, healed):
    fix, door, store = healed
    with pytest.raises(UndoError, match="the connection was lost"):
        undo_fix(fix, LostDoor(door, is_done=False), store, ON_REQUEST)
    assert store.fixes.get(fix.id).state == "undoing"
    assert failed_rungs(store.fixes.find()) == frozenset()
    assert undo_fix(store.fixes.get(fix.id), door, store, ON_REQUEST).state == "undone"


def test_an_undo_of_which_nothing_can_be_learned_stays_for_recovery(jobs, file, healed):
    fix, door, store = healed
    with pytest.raises(UnsettledError, match="whether the change was committed is unknown"):
        undo_fix(fix, LostDoor(door, deaf=1), store, ON_REQUEST)
    assert store.fixes.get(fix.id).state == "undoing"
    with Doctor(load_settings(file)) as doctor:
        assert [(one.state, one.reason) for one in doctor.recover()] == [("undone", ON_REQUEST)]
    assert failed_rungs(store.fixes.find()) == frozenset()


def test_what_is_done_but_cannot_be_noted_is_not_called_undone_or_not_applied(jobs, healed):
    fix, door, store = healed
    holder = sqlite3.connect(store.url.removeprefix("sqlite:///"), isolation_level=None)

    class Holding(LostDoor):
        """Another program takes the store's lock while the rows are put back."""

        def transaction(self):
            holder.execute("BEGIN IMMEDIATE")
            return door.transaction()

    with pytest.raises(UnsettledError, match="the old rows are back, but that could not be noted"):
        undo_fix(fix, Holding(door), store, ON_REQUEST)
    holder.execute("ROLLBACK")
    holder.close()
    assert jobs.cell(jobs.runs["case"]) == "WAITING"
    assert undo_fix(store.fixes.get(fix.id), door, store, ON_REQUEST).state == "undone"


@pytest.mark.slow
def test_a_repair_that_cannot_be_noted_is_unknown_and_is_found_by_recovery(jobs, file):
    holder = sqlite3.connect(file.parent / "store.db", isolation_level=None)

    def step(done):
        if done == "commit":
            holder.execute("BEGIN IMMEDIATE")

    with Doctor(load_settings(file), step=step) as doctor:
        done = doctor.treat(jobs.runs["case"])
        holder.execute("ROLLBACK")
        holder.close()
        assert (done.status, done.outcomes[0].result) == ("unknown", "unknown")
        assert "the change is committed, but that could not be noted" in done.outcomes[0].reason
        assert [one.state for one in doctor.recover()] == ["verified"]
