"""Every plant of the drift zoo is found, and its clean twin has none."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from doctor.model.drift import Comparison, Difference
from doctor.system.code import read_models
from doctor.system.code.importing import import_models
from doctor.system.database import open_read_door
from tests.support.servers import fresh
from tests.support.soak import PART, sized
from tests.support.zoo import Plant, afterwards, declared, planted

AT_ONCE = 10
DRIVERS = {"postgresql:": "postgresql+psycopg:", "mariadb:": "mariadb+pymysql:"}
SIZES = {"sqlite": 100, "postgresql": 20, "mariadb": 30}


@contextmanager
def place(engine: str, file: Path) -> Iterator[tuple[str, str]]:
    """Yield the URL of an empty database, for Doctor and for SQLAlchemy."""
    if engine == "sqlite":
        yield f"sqlite:///{file}", f"sqlite:///{file}"
        return
    with fresh(engine) as ground:  # type: ignore[arg-type]
        kind = f"{ground.url.partition(':')[0]}:"
        yield ground.url, ground.url.replace(kind, DRIVERS[kind], 1)


def about(one: Difference) -> set[Plant]:
    """Return the plants that a difference could be the finding of."""
    words = ("", one.column, one.name, *one.column.split(", "))
    return {Plant(one.drift, one.table, word) for word in words}


def judged(found: Comparison, plants: list[Plant]) -> tuple[list[Plant], list[Difference]]:
    """Return the plants that were missed, and the differences that nobody planted."""
    wanted = set(plants)
    seen = {one for each in found.differences for one in about(each)}
    others = [one for one in found.differences if not about(one) & wanted]
    return [one for one in plants if one not in seen], others


# The first ten schemas are read by import, all others from source.
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("engine", sorted(SIZES))
def test_all_plants_are_found_and_the_clean_twin_has_no_drift(engine: str, tmp_path: Path) -> None:
    explore(engine, tmp_path, sized(SIZES[engine], 1_000))


def test_all_plants_of_a_few_schemas_are_found(tmp_path: Path) -> None:
    explore("sqlite", tmp_path, 12)


def explore(engine: str, folder: Path, schemas: int) -> None:
    """Plant drifts in random schemas and look for them: the same ones each time, new in a soak."""
    left, total, round_ = schemas, 0, 0
    while left > 0:
        seed = secrets.randbelow(10**9) if PART else 1_000 + round_
        number = min(left, AT_ONCE)
        left, round_ = left - number, round_ + 1
        print(f"drift zoo on {engine}: seed {seed}, {number} schemas")
        with declared(folder / str(round_), seed, number) as (package, clean):
            models = read_models(package) if round_ > 1 else import_models(package, timeout=60)
            drifted, plants = planted(clean, number, engine)
            twins = {"clean": (clean, []), "drifted": (drifted, plants)}
            for name, (metadata, wanted) in twins.items():
                with place(engine, folder / f"{name}{round_}.db") as (url, real):
                    made = sa.create_engine(real)
                    with made.begin() as connection:
                        metadata.create_all(connection)
                        for one in afterwards(wanted, engine):
                            connection.exec_driver_sql(one)
                    made.dispose()
                    found = open_read_door(url).compare(models)
                assert found.open == (), (seed, found.open[:5])
                missed, others = judged(found, wanted)
                assert (missed, others) == ([], []), (seed, name)
                total += len(wanted)
    print(f"drift zoo on {engine}: {total} of {total} plants found, none beside them")
    assert total >= 20 * schemas
