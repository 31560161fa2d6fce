"""A change of many rows and its way back leave random databases as they were, on three engines."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import count, islice

import pytest

from doctor.errors import DoctorError
from doctor.model.change import SetColumn, pins_of
from doctor.model.ports import Batch
from doctor.system.database import open_read_door, open_write_door
from tests.support import random_database, random_server_database
from tests.support.soak import sized

NUMBER = sized(25, 1_000)

pytestmark = [pytest.mark.slow, pytest.mark.soak]


def bulk_of(url, plan):
    """Return the first change of a plan as one of all rows that hold the value, with their keys."""
    one = plan.changes[0]
    [column, *_] = one.to
    read = open_read_door(url)
    table = next((each for each in read.tables() if each.name == one.table), None)
    if table is None or not table.primary_key or column in table.primary_key:
        return None, ()
    keys = read.keys(table, {column: one.expected[column]}, limit=500)
    if not keys:
        return None, ()
    old, new = one.expected[column], one.to[column]
    pinned = pins_of(keys)
    return SetColumn(table.name, table.primary_key, column, old, new, len(keys), pinned), keys


def round_trip(url, plan, exact):
    """Change the rows and put them back; return what became of it."""
    change, keys = bulk_of(url, plan)
    if change is None:
        return "no key"
    before, door = exact(), open_write_door(url, create_marker=True)
    batch = Batch(0, 0, len(keys))
    try:
        with door.kept() as kept, kept.transaction() as transaction:
            image = transaction.set_rows(change, keys, rehearsed=3)
            fix = plan.hash
            transaction.mark_batch(fix, batch, image)
    except DoctorError:
        assert exact() == before
        return "refused"
    changed = exact() != before
    assert changed or image.moved or change.expected == change.to
    with door.transaction() as transaction:
        transaction.restore_rows(change, transaction.batch_image(fix, batch))
    assert exact() == before
    return f"{'many' if len(keys) > 1 else 'one'} rows"


def files(folder):
    """Yield random SQLite databases, each with a plan and what tells all of its cells."""
    path = folder / "target.db"
    for seed in count():
        path.unlink(missing_ok=True)
        tables = random_database.make(path, seed)
        plan = random_database.random_plan(path, tables, seed)
        if plan is not None:
            yield f"sqlite:///{path}", plan, partial(random_database.exact, path, tables)


def databases(ground):
    """Yield what ``files`` does, on a server."""
    for seed in count():
        made = random_server_database.make(ground, seed)
        plan = random_server_database.random_plan(ground, made, seed)
        if plan is not None:
            yield ground.url, plan, partial(random_server_database.exact, ground, made)


def report(engine, cases, number, figure):
    ends = Counter(round_trip(*one) for one in islice(cases, number))
    told = ", ".join(f"{one} {times}" for one, times in ends.most_common())
    figure(f"{engine}: {ends.total()} random databases in batches, 0 differences: {told}")
    assert ends["one rows"] + ends["many rows"] > number / 3


def test_many_rows_and_the_way_back_leave_every_table_of_a_file_as_it_was(tmp_path, figure):
    report("sqlite", files(tmp_path), 5 * NUMBER, figure)


def test_many_rows_and_the_way_back_leave_every_table_of_a_server_as_it_was(ground, figure):
    report(ground.engine, databases(ground), NUMBER, figure)
