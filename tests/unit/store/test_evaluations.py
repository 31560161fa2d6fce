"""What each rule said so far."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from doctor.model.verdict import Verdict
from doctor.store import Evaluations, open_store
from tests.unit.inference.build import rule, sel

RULES = (rule("a", sel("x", "k")), rule("b", sel("x", "k")))


def said(**results):
    return [
        Verdict(name, result, (), {}, (), "")
        for name, many in results.items()
        for result in many.split()
    ]


def version(url):
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as store:
        found = store.execute("SELECT value FROM meta WHERE name='doctor_schema'").fetchone()
    return found[0]


def test_a_rule_that_was_never_asked_is_not_known(store):
    assert store.evaluations.all() == ()


def test_hits_and_unknowns_are_counted_once_an_evaluation(store, clock):
    store.evaluations.record(RULES, said(a="match match unknown", b="no_match"))
    first = clock.now
    clock.move(hours=1)
    store.evaluations.record(RULES, said(a="no_match", b="unknown"))
    assert store.evaluations.all() == (
        Evaluations("a", 1, evaluated=2, matched=1, unknown=0, last_match=first),
        Evaluations("b", 1, evaluated=2, matched=0, unknown=1),
    )


def test_a_new_revision_begins_again(store):
    store.evaluations.record(RULES, said(a="match", b="match"))
    store.evaluations.record([replace(RULES[0], revision=2)], said(a="unknown"))
    assert store.evaluations.all()[0] == Evaluations("a", 2, evaluated=1, unknown=1)


def test_each_target_has_its_own(opened):
    opened("sqlite:/one.db").evaluations.record(RULES[:1], said(a="match"))
    assert opened("sqlite:/two.db").evaluations.all() == ()


NEWER = {1: ("evaluations", "leases", "stops", "sightings"), 2: ("leases", "stops", "sightings")}


@pytest.mark.parametrize("old_version", NEWER)
def test_an_older_store_is_read_as_it_is_and_upgraded_when_it_is_written_to(
    opened, url, clock, old_version
):
    store = opened()
    store.journal.append("kind", "summary")
    store.close()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as old:
        for table in NEWER[old_version]:
            old.execute(f"DROP TABLE {table}")
        old.execute(f"UPDATE meta SET value='{old_version}' WHERE name='doctor_schema'")
        old.commit()
    reader = open_store(url, clock, target="t", create=False)
    assert reader is not None
    with reader:
        assert reader.evaluations.all() == ()
        assert reader.leases.held() is None
        assert (reader.stops.current(), reader.stops.resumed_at()) == (None, None)
    assert version(url) == str(old_version)
    upgraded = opened()
    upgraded.evaluations.record(RULES[:1], said(a="match"))
    assert len(upgraded.evaluations.all()) == 1
    assert version(url) == "4"
    assert upgraded.leases.take("ann", "", 60)
    assert upgraded.stops.stop("too many").incident
    assert [one.kind for one in upgraded.journal.entries(1, kinds=("kind",))] == ["kind"]
