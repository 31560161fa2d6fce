"""Mappings, and documents that are none of the known kinds."""

import pytest

from doctor.errors import RuleError
from doctor.model.rule import ValueMapping
from doctor.rulebook import RuleSource, load_rulebook

MAPPING = """\
format: doctor/1
mapping: runs.state
owner: team-executor
reason: BUILD-127
values: {READY: RUN_CREATED, 1: 2, NO: on, "": ~, null: true, 012: .inf}
"""


def load(text):
    return load_rulebook([RuleSource("m", (("m.yaml", text),))])


def problems(text):
    with pytest.raises(RuleError) as caught:
        load(text)
    found = caught.value.problems
    return [(problem.location, problem.message, problem.hint) for problem in found]


def test_a_mapping_keeps_every_value_as_it_was_written():
    assert load(MAPPING).rulebook.mappings == (
        ValueMapping(
            table="runs",
            column="state",
            values={
                "READY": "RUN_CREATED",
                "1": "2",
                "NO": "on",
                "": "~",
                "null": "true",
                "012": ".inf",
            },
            owner="team-executor",
            reason="BUILD-127",
            origin="m.yaml:2",
        ),
    )


def test_the_column_of_a_table_in_a_schema_is_after_the_last_dot():
    mapping = load(MAPPING.replace("runs.state", "app.runs.state")).rulebook.mappings[0]
    assert (mapping.table, mapping.column) == ("app.runs", "state")


def test_one_file_may_hold_documents_of_several_kinds():
    text = f"{MAPPING}---\nformat: doctor/1\nsignatures: [{{kind: k, pattern: p}}]\n---\n{MAPPING}"
    book = load(text).rulebook
    assert [one.origin for one in book.mappings] == ["m.yaml:2", "m.yaml:11"]
    assert [one.origin for one in book.signatures] == ["m.yaml:8"]


def test_files_without_documents_are_no_mistake():
    assert load("").rulebook == load("# nothing yet\n").rulebook
    assert load("").rulebook.rules == ()


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"),
    [
        ("runs.state", "runs", "2:10", "mapping 'runs' must look like 'runs.state'", None),
        ("runs.state", ".state", "2:10", "mapping '.state' must look like 'runs.state'", None),
        ("runs.state", "runs.", "2:10", "mapping 'runs.' must look like 'runs.state'", None),
        ("owner: team-executor\n", "", "1:1", "mapping needs the key 'owner'", None),
        ("reason:", "raeson:", "4:1", "unknown key 'raeson' in mapping", "did you mean 'reason'?"),
        (
            "{READY: RUN_CREATED,",
            "{READY: ,",
            "5:17",
            "the value for 'READY' is empty",
            "put it in quotes if that is meant",
        ),
        ("RUN_CREATED", "READY", "5:17", "'READY' is mapped to itself", None),
        ("RUN_CREATED", "[A]", "5:17", "the value for 'READY' must be text, not a list", None),
        ("values: {READY: ", "values: {}\n#", "5:9", "values maps nothing", None),
        ("values: {READY: ", "values: READY\n#", "5:9", "values must be a mapping, not text", None),
        (
            "format: doctor/1",
            "format: doctor/1\nrule: a",
            "3:1",
            "one document cannot be both 'rule' and 'mapping'",
            "put '---' between them",
        ),
        (
            "format: doctor/1\n",
            "",
            "1:1",
            "mapping needs the key 'format'",
            "write 'format: doctor/1'",
        ),
    ],
)
def test_a_wrong_mapping_is_named_with_its_place(old, new, place, message, hint):
    assert old in MAPPING
    assert (f"m.yaml:{place}", message, hint) in problems(MAPPING.replace(old, new, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "- a\n",
            ("1:1", "a document must be a mapping that begins with 'format: doctor/1'", None),
        ),
        (
            "---\n",
            ("2:1", "a document must be a mapping that begins with 'format: doctor/1'", None),
        ),
        (
            "a: 1\n",
            (
                "1:1",
                "the document is neither a rule nor signatures, a mapping, override or system",
                "it needs one of: rule, signatures, mapping, override, system",
            ),
        ),
        (
            "format: doctor/1\nmaping: x.y\n",
            (
                "1:1",
                "the document is neither a rule nor signatures, a mapping, override or system",
                "did you mean 'mapping'?",
            ),
        ),
        (
            "format: doctor/1\noveride: a.b\n",
            (
                "1:1",
                "the document is neither a rule nor signatures, a mapping, override or system",
                "did you mean 'override'?",
            ),
        ),
        (
            "format: doctor/1\nsistem: a\n",
            (
                "1:1",
                "the document is neither a rule nor signatures, a mapping, override or system",
                "did you mean 'system'?",
            ),
        ),
    ],
)
def test_other_documents_are_refused(text, expected):
    place, message, hint = expected
    assert (f"m.yaml:{place}", message, hint) in problems(text)
