from __future__ import annotations

from dataclasses import replace

import pytest

from doctor.errors import SourceError
from doctor.evidence import collect_evidence
from doctor.model.change import SetCells
from doctor.model.description import Contradiction, Requirement
from doctor.model.diagnosis import Diagnosis, Subject
from doctor.model.evidence import Evidence, Fact, Gap
from doctor.model.rule import ValueMapping
from doctor.model.schema import CodeColumn, CodeModels, CodeUnique, DescribedShape
from doctor.model.system import Proposal, Run, System
from doctor.model.tier import Tier
from doctor.registry import load_registry
from doctor.runs import find_layout
from doctor.system.api import BoundedApi
from tests.support.ports import (
    answering,
    code,
    enum_column,
    in_memory,
    make_database,
    read_door,
    server,
)

REGISTRY = load_registry({})
PROBES = {one.name: one for one in REGISTRY.probes}
EMPTY = System("x")


class Models:
    def __init__(self, models: CodeModels):
        self._models = models

    def models(self) -> CodeModels:
        return self._models


@pytest.fixture
def system(tmp_path):
    path = make_database(
        tmp_path / "a.db",
        "CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT, plan TEXT, body BLOB,"
        " after TEXT REFERENCES runs (id))",
        "CREATE TABLE steps (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id))",
        "INSERT INTO runs VALUES ('r1', 'REDY', '{', x'8004', 'r0'), ('r2', NULL, '{', NULL, 'r1')",
        "CREATE TABLE parts (id INTEGER PRIMARY KEY, run TEXT REFERENCES runs (id), name TEXT,"
        " doc TEXT)",
        "INSERT INTO steps VALUES (1, 'gone')",
        "CREATE TABLE schema_documentation (table_name TEXT, column_name TEXT, description TEXT,"
        " example TEXT, json_schema TEXT, origin TEXT, fingerprint TEXT, updated_at TEXT)",
        "INSERT INTO schema_documentation VALUES ('left', '', 'x', '', '', 'models.py:1', 'x', '')",
        "INSERT INTO schema_documentation VALUES"
        " ('runs', 'id', 'x', '', '{\"type\": \"integer\"}', '', 'x', '')",
        "INSERT INTO parts VALUES (1, 'r1', 'x', '[1]'), (2, 'r2', 'x', '{}')",
    )
    door = read_door(path)
    columns = (
        enum_column("state", "READY"),
        enum_column("kind", "A"),
        CodeColumn("plan", "JSON", True),
        CodeColumn("body", "pickle", True),
    )
    due = Requirement("runs", {"state": ("REDY",)}, rows="steps", origin="x.yaml:3")
    shape = DescribedShape('{"type": "object"}', "x.yaml:5")
    document = CodeColumn("doc", "JSON", True, shape=shape)
    runs, more, parts = code(("runs", columns), ("more", ()), ("parts", (document,))).tables
    runs = replace(runs, uniques=(CodeUnique(("plan",)),))
    below = Contradiction(
        "runs", {"state": ("REDY",)}, "parts", {"name": ("x",)}, origin="x.yaml:4"
    )
    models = CodeModels((runs, more, parts), requires=(due,), never=(below,))
    layout = find_layout(door, None, None, None)
    pinned = {"runs.id": ("r1",)}
    return System("x", database=door, code=Models(models), layout=layout, ids=pinned)


def look(probe, system, run="r1"):
    return collect_evidence([PROBES[probe]], system, Run(run))


def test_the_built_in_probes_and_fixers_are_these():
    assert sorted(PROBES) == [
        "api.get_run",
        "database.bad_cell",
        "database.contradiction",
        "database.documentation",
        "database.duplicate",
        "database.invalid_value",
        "database.misshapen_document",
        "database.missing_parts",
        "database.missing_run",
        "database.orphan",
        "database.unmet_requirement",
        "database.unreadable_object",
        "database.unusual_id",
        "error_reports",
        "schema.drift",
    ]
    assert [one.name for one in REGISTRY.fixers] == ["database.set_value"]
    assert {one.failure for one in REGISTRY.records} == {None}


@pytest.mark.parametrize("probe", sorted(PROBES))
def test_a_probe_of_what_is_not_configured_sees_nothing(probe):
    assert look(probe, EMPTY) == Evidence()


@pytest.mark.parametrize(
    ("probe", "run", "facts"),
    [
        ("database.invalid_value", "r1", [("database.invalid_value", "REDY")]),
        ("database.bad_cell", "r1", [("database.bad_cell", "{")]),
        ("database.contradiction", "r1", [("database.contradiction", "name = 'x'")]),
        ("database.duplicate", "r1", [("database.duplicate", "plan = '{'")]),
        (
            "database.documentation",
            None,
            [("database.stale_documentation", ""), ("database.stale_documentation", "id")],
        ),
        ("database.misshapen_document", "r1", [("database.misshapen_document", "doc")]),
        ("database.missing_run", "gone", [("database.missing_run", "steps")]),
        ("database.orphan", "r1", [("database.orphan", "after = 'r0'")]),
        ("database.unmet_requirement", "r1", [("database.unmet_requirement", "REDY")]),
        ("database.unreadable_object", "r1", [("database.unreadable_object", "body")]),
        ("database.unusual_id", None, [("database.unusual_id", "id")]),
        ("database.unusual_id", "r1", []),
        (
            "database.missing_parts",
            "r1",
            [("database.missing_column", "runs.kind"), ("database.missing_table", "more")],
        ),
    ],
)
def test_the_database_is_compared_with_the_models(system, probe, run, facts):
    evidence = look(probe, system, run)
    shown = [
        (
            one.kind,
            one.fields.get(
                "value",
                one.fields.get("referenced_by", one.fields.get("column", one.fields["table"])),
            ),
        )
        for one in evidence.facts
    ]
    assert (shown, evidence.gaps) == (facts, ())


@pytest.mark.parametrize("probe", sorted(PROBES))
def test_every_fact_has_the_fields_that_its_kind_declares(system, probe):
    types = {"str": str, "int": int, "list": tuple, "map": dict, "float": float, "bool": bool}
    report = in_memory("r", "Error Type: E")
    with server(answering(500)) as port:
        whole = System(
            "x",
            database=system.database,
            code=system.code,
            layout=system.layout,
            api=BoundedApi(f"http://127.0.0.1:{port}"),
            route="/runs/gone",
            reports=(report,),
            ids=system.ids,
        )
        facts = [one for run in ("r1", "gone", None) for one in look(probe, whole, run).facts]
    assert facts
    for fact in facts:
        (kind,) = [one for one in PROBES[probe].kinds if one.name == fact.kind]
        assert set(fact.fields) <= {one.name for one in kind.fields}
        for field in kind.fields:
            assert not field.required or field.name in fact.fields
            if field.name in fact.fields:
                assert isinstance(fact.fields[field.name], types[field.type])


@pytest.mark.parametrize("probe", ["database.invalid_value", "database.missing_run"])
@pytest.mark.parametrize("reason", ["several tables would do", None])
def test_runs_that_were_not_found_are_a_gap(system, probe, reason):
    blind = System("x", database=system.database, code=system.code, layout_reason=reason)
    kinds = tuple(one.name for one in PROBES[probe].kinds)
    gap = Gap(probe, reason or "the run table was not found", kinds)
    assert look(probe, blind) == Evidence((), (gap,))


@pytest.mark.parametrize(
    ("status", "more"),
    [(200, {}), (399, {}), (400, {"body": "x" * 500}), (503, {"body": "x" * 500})],
)
def test_the_answer_of_the_api_is_a_fact_with_the_body_of_an_error(status, more):
    with server(answering(status, b"x" * 600)) as port:
        system = System("x", api=BoundedApi(f"http://127.0.0.1:{port}"), route="/runs/r1")
        evidence = look("api.get_run", system)
    fields = {"run": "r1", "endpoint": "/runs/r1", "status": status, **more}
    assert evidence == Evidence((Fact("api.get_run", fields, "api"),))


@pytest.mark.parametrize(
    ("route", "reason", "gap"),
    [
        ("/runs/r1", "refused", "http://127.0.0.1:{} refuses connections"),
        (None, "silent", "nobody knows it"),
    ],
)
def test_an_api_without_an_answer_is_a_fact_and_a_gap(route, reason, gap):
    with server(answering()) as port:
        pass
    api = BoundedApi(f"http://127.0.0.1:{port}")
    system = System("x", api=api, route=route, route_reason=None if route else "nobody knows it")
    assert look("api.get_run", system) == Evidence(
        (Fact("api.no_answer", {"run": "r1", "reason": reason}, "api"),),
        (Gap("api.get_run", gap.replace("{}", str(port)), ("api.get_run", "api.no_answer")),),
    )


def test_for_the_whole_system_the_api_only_has_to_answer():
    with server(answering(404)) as port:
        api = BoundedApi(f"http://127.0.0.1:{port}")
        assert look("api.get_run", System("x", api=api), None) == Evidence()
    (gap,) = look("api.get_run", System("x", api=api), None).gaps
    assert gap.reason.endswith("refuses connections")


def test_reports_are_facts_and_unreadable_ones_gaps():
    logs = (
        in_memory("a", failing=SourceError("a is not a text file")),
        in_memory("b", "Error Type: E", "Run ID: r1"),
    )
    assert look("error_reports", System("x", reports=logs)) == Evidence(
        (Fact("error.report", {"message": "", "type": "E", "run": "r1"}, "report:b"),),
        (Gap("error_reports", "a is not a text file", ("error.report",)),),
    )


FIXER = REGISTRY.fixer("database.set_value")
SUBJECT = Subject("runs", "state", {"id": "a"}, "RunState.ready", ("READY", "DONE"))
ENUM = Fact("database.invalid_value", {"enum": "RunState"}, "database")


def diagnosis(subject, *facts):
    return Diagnosis("D1", "rule", "high", "cause", False, subject, "m", "h", facts=facts)


def proposed(one, system=EMPTY):
    assert FIXER is not None
    return FIXER.propose(one, system)


def change(to):
    return SetCells("runs", {"id": "a"}, {"state": "RunState.ready"}, {"state": to})


def test_the_fixer_proposes_one_compare_and_set_per_value():
    reason = "the same value but for case, spaces and separators"
    found = proposed(diagnosis(SUBJECT, Fact("http.failure", {}, "log"), ENUM))
    assert found == (Proposal(change("READY"), "READY", Tier.SAFE, reason, certain=True),)
    unnamed = proposed(diagnosis(SUBJECT))
    assert [(one.to, one.tier, one.certain) for one in unnamed] == [
        ("READY", Tier.GUARDED, False),
        ("DONE", Tier.GUARDED, False),
    ]


def test_the_fixer_uses_the_mappings_and_the_states_that_have_ended():
    mapping = ValueMapping("runs", "state", {"RunState.ready": "DONE"}, "me", "so", "m.yaml:1")
    mapped = proposed(diagnosis(SUBJECT, ENUM), System("x", mappings=(mapping,)))
    assert [(one.to, one.tier) for one in mapped] == [("DONE", Tier.SAFE)]
    ended = Subject("runs", "state", {"id": "a"}, "finished!", ("READY", "DONE"))
    found = proposed(diagnosis(ended), System("x", terminal=frozenset({"FINISHED!", "DONE"})))
    assert {one.to: one.tier for one in found} == {
        "READY": Tier.IRREVERSIBLE,
        "DONE": Tier.GUARDED,
    }


@pytest.mark.parametrize(
    "subject",
    [
        None,
        Subject("runs", "state", {}, "x", ("READY",)),
        Subject("runs", "state", {"id": "a"}, "x", ()),
    ],
)
def test_without_a_row_or_valid_values_nothing_is_proposed(subject):
    assert proposed(diagnosis(subject)) == ()
