"""What a description adds to the models, and what it leaves to them."""

from __future__ import annotations

from doctor.model.description import (
    ColumnFacts,
    Contradiction,
    Requirement,
    StateCopy,
    SystemDescription,
)
from doctor.model.schema import LiveColumn, LiveTable
from doctor.settings import ColumnSettings, SystemSettings
from doctor.system.described import DescribedCode, renamed, with_columns
from tests.support.ports import code, enum_column

LIVE = tuple(
    LiveTable(name, tuple(LiveColumn(one, "TEXT", True) for one in columns), ("id",), ())
    for name, columns in (("runs", ("id", "state", "doc")), ("results", ("id", "run")))
)


class Models:
    def __init__(self, *tables):
        self._models = code(*tables)

    def models(self):
        return self._models


def described(*columns, inner=None, **more):
    system = SystemDescription("small", columns=columns, origin="s.yaml:2", **more)
    return DescribedCode(inner, system, LIVE).models()


def column(models, table="runs", name="state"):
    found = models.table(table).column(name)
    assert found is not None
    return found


def test_without_models_the_description_alone_is_the_code():
    state = ColumnFacts("runs.state", values=("A", "B"), null=False, breaks="lists", open=True)
    document = ColumnFacts("runs.doc", holds="json", origin="s.yaml:4")
    models = described(state, document)
    found = column(models)
    assert found.enum is not None
    assert (found.enum.values, found.enum.open, found.nullable) == (("A", "B"), True, False)
    assert (found.breaks, column(models, name="doc").type, models.gaps) == ("lists", "JSON", ())


def test_what_the_models_know_stays_unless_the_owner_says_otherwise():
    inner = Models(("runs", (enum_column("state", "X"),)))
    facts = ColumnFacts("runs.state", values=("A",), breaks="lists")
    kept = column(described(facts, inner=inner))
    assert kept.enum is not None
    assert (kept.enum.values, kept.breaks) == (("X",), "lists")
    own = SystemSettings(columns={"runs.state": ColumnSettings(values=("A",), nulls="refused")})
    system = with_columns(SystemDescription("small", columns=(facts,)), own, "doctor.toml")
    assert system is not None
    firm = column(DescribedCode(inner, system, LIVE).models())
    assert firm.enum is not None
    assert (firm.enum.values, firm.enum.location, firm.nullable) == (("A",), "doctor.toml", False)


def test_without_a_description_the_owner_may_still_say_it():
    own = SystemSettings(columns={"runs.state": ColumnSettings(values=("A",))})
    system = with_columns(None, own, "doctor.toml")
    assert system is not None
    assert (system.name, system.runs) == ("discovered", None)
    assert with_columns(None, SystemSettings(), "") is None


def test_an_enum_that_is_not_at_hand_falls_back_to_the_values_or_is_a_gap():
    listed = column(described(ColumnFacts("runs.state", "gone.away:State", values=("A",))))
    assert listed.enum is not None
    assert (listed.enum.name, listed.enum.values) == ("State", ("A",))
    models = described(ColumnFacts("runs.state", "gone.away:State", origin="s.yaml:5"))
    [gap] = models.gaps
    assert (gap.what, gap.where) == ("runs.state", "s.yaml:5")
    assert "'gone' is not installed here" in gap.reason


def test_what_the_database_does_not_have_is_a_gap():
    models = described(
        ColumnFacts("runs.gone", values=("A",)),
        ColumnFacts("gone.state", values=("A",)),
        requires=(
            Requirement("runs", {"state": ("A",)}, rows="results"),
            Requirement("runs", {"gone": ("A",)}, rows="results"),
            Requirement("runs", {"state": ("A",)}, rows="nowhere"),
        ),
    )
    assert [one.what for one in models.gaps] == ["runs.gone", "gone.state", "runs.gone", "nowhere"]
    assert len(models.requires) == 1


def test_another_name_of_the_run_table_holds_everywhere():
    system = SystemDescription(
        "small",
        runs="jobs",
        columns=(ColumnFacts("jobs.state", values=("A",)), ColumnFacts("results.kind")),
        requires=(Requirement("results", {}, rows="jobs", as_many_as="jobs"),),
        never=(Contradiction("jobs", {"state": ("A",)}, "steps", {"state": ("B",)}),),
        copies=(StateCopy("jobs.state", "jobs.doc", ("a",)),),
    )
    other = renamed(system, "runs")
    assert [one.column for one in other.columns] == ["runs.state", "results.kind"]
    assert (other.requires[0].rows, other.requires[0].as_many_as) == ("runs", "runs")
    assert (other.never[0].table, other.never[0].rows) == ("runs", "steps")
    assert (other.copies[0].column, other.copies[0].inside) == ("runs.state", "runs.doc")
    assert renamed(system, None) is renamed(system, "jobs") is system
