"""Somebody else's system: studies and trials that Optuna made itself, one value made bad at a time.

Nothing here but the description (rules/doctor_rules/systems/optuna.yaml) knows Optuna.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests.support.products import nothing_left_open
from tests.support.servers import fresh
from tests.support.terminal import say

pytestmark = pytest.mark.filterwarnings("ignore")
MODELS = Path(optuna.__file__).parent / "storages" / "_rdb" / "models.py"
CALLS: dict[str, Any] = {
    "trial": lambda storage: storage.get_trial(1),
    "study": lambda storage: optuna.load_study(storage=storage, study_name="nightly"),
    "trials": lambda storage: optuna.load_study(storage=storage, study_name="nightly").trials,
    "summaries": optuna.get_all_study_summaries,
}


@nothing_left_open()
def fill(url):
    """Run two studies, as anybody would."""
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    storage = optuna.storages.RDBStorage(url)

    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        trial.suggest_categorical("kind", ["a", "b"])
        trial.set_user_attr("why", {"a": [1, 2]})
        if trial.number == 3:
            raise ValueError
        if len(trial.study.directions) > 1:
            return x, 1 - x
        trial.report(x, 1)
        if trial.number == 2:
            raise optuna.TrialPruned
        return x

    wanted: dict[str, Any] = {"nightly": ["minimize", "maximize"], "other": ["maximize"]}
    for name, directions in wanted.items():
        study = optuna.create_study(storage=storage, study_name=name, directions=directions)
        study.set_user_attr("team", "core")
        study.optimize(objective, n_trials=4, catch=(ValueError,))
        study.ask()
        study.enqueue_trial({"x": 0.5})
    storage.remove_session()


@nothing_left_open()
def ask(name, url):
    """Ask Optuna itself, and leave no connection open."""
    storage = optuna.storages.RDBStorage(url)
    try:
        return CALLS[name](storage)
    finally:
        storage.remove_session()


def fails(name, url):
    """Tell whether Optuna itself fails."""
    try:
        ask(name, url)
    except Exception:  # noqa: BLE001 - of whatever kind
        return True
    return False


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    path = tmp_path_factory.mktemp("optuna") / "base.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def spoilt(base, tmp_path):
    """Return a copy in which plain SQL made something bad."""

    def spoil(statement):
        path = tmp_path / "optuna.db"
        shutil.copy(base, path)
        with closing(sqlite3.connect(path)) as connection, connection:
            assert connection.execute(statement).rowcount > 0
        return f"sqlite:///{path}"

    return spoil


def options(url):
    return ["--system", "optuna", "--database", url, "--format", "json"]


def found(url, *more):
    """Return what a preflight finds, as (run or None, diagnosis)."""
    said = say("preflight", *(more or options(url)), *(["--database", url] if more else []))
    pairs = [(sick["run"], one) for sick in said.json["sick"] for one in sick["diagnoses"]]
    return said, pairs + [(None, one) for one in said.json["diagnoses"]]


BAD = {
    "a state that is none": (
        "UPDATE trials SET state = 'READY' WHERE trial_id = 1",
        ("DB001", "trials.state", {"trial_id": 1}, "1", "get_all_study_summaries()"),
        {"trial", "trials", "summaries"},
    ),
    "a direction": (
        "UPDATE study_directions SET direction = 'UP' WHERE study_direction_id = 1",
        ("DB050", "study_directions.direction", {"study_direction_id": 1}, None, "all 6 runs"),
        {"study", "trials", "summaries"},
    ),
    "a distribution": (
        "UPDATE trial_params SET distribution_json = '{bad' WHERE param_id = 1",
        ("DB011", "trial_params.distribution_json", {"param_id": 1}, "1", "trials and optimize()"),
        {"trial", "trials", "summaries"},
    ),
    "no value of a finished trial": (
        "DELETE FROM trial_values WHERE trial_id = 1",
        ("DB051", "trials.state", {"trial_id": 1}, "1", "get_all_study_summaries()"),
        set(),
    ),
    "one of two values of a finished trial": (
        "DELETE FROM trial_values WHERE trial_value_id = 1",
        ("DB051", "trials.state", {"trial_id": 1}, "1", "get_all_study_summaries()"),
        set(),
    ),
    "a value that is NULL": (
        "UPDATE trial_values SET value = NULL WHERE trial_value_id = 1",
        ("DB051", "trial_values.value", {"trial_value_id": 1}, "1", "best_trial"),
        {"trial", "trials", "summaries"},
    ),
    "a trial in no study": (
        "UPDATE trials SET study_id = NULL WHERE trial_id = 1",
        ("DB008", "trials.study_id", {"trial_id": 1}, "1", "in no study's trials any more"),
        set(),
    ),
    "a time": (
        "UPDATE trials SET datetime_start = 'yesterday' WHERE trial_id = 1",
        ("DB010", "trials.datetime_start", {"trial_id": 1}, "1", "run 1 and every list"),
        {"trial", "trials", "summaries"},
    ),
}


@pytest.mark.parametrize(("statement", "expected", "broken"), BAD.values(), ids=BAD)
def test_each_bad_value_is_found_located_and_explained(statement, expected, broken, spoilt):
    url = spoilt(statement)
    said, [(run, one)] = found(url)
    code, cell, key, owner, blast = expected
    subject = one["subject"]
    assert (said.code, one["code"], run) == (3, code, owner)
    assert (f"{subject['table']}.{subject['column']}", subject["key"]) == (cell, key)
    assert blast in one["blast"]
    assert said.json["gaps"] == []
    assert {name for name in CALLS if fails(name, url)} >= broken
    told = say("diagnose", "1", *options(url))
    assert (told.code, [each["code"] for each in told.json["diagnoses"]]) == (3, [code])


def test_healthy_studies_have_no_finding_and_no_gap(base):
    for more in ((), ("--models", str(MODELS), "--format", "json")):
        said, diagnoses = found(f"sqlite:///{base}", *more)
        assert (said.code, diagnoses, said.json["gaps"]) == (0, [], [])


def test_a_fold_is_healed_and_optuna_reads_it_again(spoilt):
    url = spoilt("UPDATE trials SET state = 'complete' WHERE trial_id = 1")
    assert fails("trial", url)
    healed = say("heal", "1", *options(url))
    assert (healed.code, healed.json["status"]) == (0, "healed")
    assert ask("trial", url).state is optuna.trial.TrialState.COMPLETE
    assert [one for one in CALLS if fails(one, url)] == []
    assert found(url)[0].code == 0


def test_a_value_that_nobody_can_derive_is_asked(spoilt):
    url = spoilt("UPDATE trials SET state = 'READY' WHERE trial_id = 1")
    asked = say("heal", "1", *options(url))
    assert (asked.code, asked.json["status"]) == (5, "asked")
    [one] = asked.json["diagnoses"]
    assert {each["to"] for each in one["candidates"]} == set(optuna.trial.TrialState.__members__)
    assert fails("trial", url)


def test_what_several_runs_share_is_healed_through_any_of_them(spoilt):
    url = spoilt("UPDATE study_directions SET direction = 'minimize' WHERE study_direction_id = 1")
    assert say("diagnose", "7", *options(url)).code == 0  # a trial of the other study
    assert say("heal", "2", *options(url)).json["status"] == "healed"
    assert [one for one in CALLS if fails(one, url)] == []


def test_with_its_models_alone_its_enums_are_known(spoilt):
    more = ("--models", str(MODELS), "--format", "json")
    said, [(run, one)] = found(
        spoilt("UPDATE trials SET state = 'READY' WHERE trial_id = 1"), *more
    )
    assert (said.code, run, one["code"]) == (3, "1", "DB002")
    said, [(run, one)] = found(
        spoilt("UPDATE study_directions SET direction = 'UP' WHERE study_id = 2"), *more
    )
    assert (said.code, run, one["subject"]["valid"][1:]) == (3, "2", ["MINIMIZE", "MAXIMIZE"])


@pytest.fixture(scope="module")
def server():
    with fresh("postgresql") as ground:
        fill(ground.url.replace("postgresql://", "postgresql+psycopg://"))
        yield ground


def test_on_a_server_that_refuses_such_values_those_that_it_took_are_found(server):
    driver = server.url.replace("postgresql://", "postgresql+psycopg://")
    assert found(server.url)[0].code == 0
    server.execute(
        "ALTER TYPE trialstate ADD VALUE 'complete'",
        "UPDATE trials SET state = 'complete' WHERE trial_id = 1",
        "UPDATE trial_params SET distribution_json = '{bad' WHERE param_id = 5",
        "DELETE FROM trial_values WHERE trial_id = 2",
        "UPDATE trial_values SET value = NULL WHERE trial_id = 7 AND objective = 0",
    )
    said, diagnoses = found(server.url)
    cells = {
        (run, one["code"], f"{one['subject']['table']}.{one['subject']['column']}")
        for run, one in diagnoses
    }
    assert cells == {
        ("1", "DB001", "trials.state"),
        ("3", "DB011", "trial_params.distribution_json"),
        ("2", "DB051", "trials.state"),
        ("7", "DB051", "trial_values.value"),
    }
    assert (said.code, said.json["gaps"]) == (3, [])
    assert fails("trial", driver)
    assert say("heal", "1", *options(server.url)).json["status"] == "healed"
    assert ask("trial", driver).state is optuna.trial.TrialState.COMPLETE
