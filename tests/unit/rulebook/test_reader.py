"""Reading YAML into nodes: what scalars mean, where they stand, what is refused."""

from datetime import timedelta

import pytest
import yaml

from doctor.rulebook.nodes import Document, Items, Table, Text
from doctor.rulebook.problem import MOST_PROBLEMS, Sheet, TooManyProblemsError
from doctor.rulebook.reader import read
from doctor.rulebook.scalars import duration, resolve

LINE = "x" * 10_001


def problems(content):
    sheet = Sheet("r.yaml")
    read(content, sheet)
    return [(problem.location, problem.message) for problem in sheet.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("Yes", "Yes"),
        ("012", "012"),
        ("-007", "-007"),
        ("1:30", "1:30"),
        ("12:30:45", "12:30:45"),
        ("2027-01-31", "2027-01-31"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1.2.3", "1.2.3"),
        ("01.5", "01.5"),
        (".", "."),
        ("-", "-"),
        ("+", "+"),
        ("1e", "1e"),
        ("0x", "0x"),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("", None),
        ("nULL", "nULL"),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("tRUE", "tRUE"),
        ("0", 0),
        ("12", 12),
        ("-3", -3),
        ("+4", 4),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    resolved = resolve(Text(text, plain=True, place=(1, 1)))
    assert (resolved, type(resolved)) == (value, type(value))
    assert resolve(Text(text, plain=False, place=(1, 1))) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".inf", "'.inf' is not a finite number"),
        ("-.INF", "'-.INF' is not a finite number"),
        (".nan", "'.nan' is not a finite number"),
        ("1e400", "the number '1e400' is too large"),
        ("9223372036854775808", "the number '9223372036854775808' is too large"),
        ("0x" + "F" * 70, "the number '0x" + "F" * 62 + "' is too large"),
    ],
)
def test_numbers_that_no_one_can_use_are_refused(text, message):
    with pytest.raises(ValueError) as caught:
        resolve(Text(text, plain=True, place=(1, 1)))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "length"),
    [("500ms", 0.5), ("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604800)],
)
def test_durations_have_a_number_and_a_unit(text, length):
    assert duration(text) == timedelta(seconds=length)


@pytest.mark.parametrize("text", ["", "10", "m", "0s", "-1s", "1.5h", "10 m", "1w", "999999d"])
def test_other_texts_are_no_duration(text):
    assert duration(text) is None


def test_nodes_know_where_they_stand():
    sheet = Sheet("r.yaml")
    nodes = read("\ufeffa: [1, 'x']\r\nb:\r\n  c: |\r\n    text\r\n---\né: \"q\\n\"\n", sheet)
    assert sheet.problems == []
    assert nodes == (
        Table(
            {"a": Text("a", True, (1, 1), 1), "b": Text("b", True, (2, 1), 1)},
            {
                "a": Items(
                    (Text("1", True, (1, 5), 5), Text("x", False, (1, 8), 9)),
                    (1, 4),
                ),
                "b": Table(
                    {"c": Text("c", True, (3, 3), 3)},
                    {"c": Text("text\n", False, (3, 6), 0)},
                    (3, 3),
                ),
            },
            (1, 1),
        ),
        Table({"é": Text("é", True, (6, 1), 1)}, {"é": Text("q\n", False, (6, 4), 0)}, (6, 1)),
    )


def test_a_document_locates_paths_keys_and_nearest_parents():
    (root,) = read("a:\n  - {b: 1}\n", Sheet("r.yaml"))
    document = Document("r.yaml", root)
    assert document.locate() == "r.yaml:1:1"
    assert document.locate("a", 0, "b") == "r.yaml:2:9"
    assert document.locate_key("a", 0, "b") == "r.yaml:2:6"
    assert document.locate("a", 7, "b") == "r.yaml:2:3"
    assert document.locate_key("a", 0, "c") == "r.yaml:2:5"
    assert document.locate_key("x", "y") == "r.yaml:1:1"
    assert document.locate_key("x", "y", "z") == "r.yaml:1:1"


def test_the_place_of_a_character_is_exact_where_the_text_stands_for_itself():
    plain, quoted, escaped = (
        Text("ab", True, (3, 5), 5),
        Text("ab", False, (3, 5), 6),
        Text("ab", False, (3, 5), 0),
    )
    assert [one.inside(1) for one in (plain, quoted, escaped)] == [(3, 6), (3, 7), (3, 5)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: &x 1\n", [("r.yaml:1:4", "anchors are not allowed: '&x'")]),
        ("- *x\n", [("r.yaml:1:3", "aliases are not allowed")]),
        ("*x : 1\n", [("r.yaml:1:1", "aliases are not allowed")]),
        ("a: !!str 1\n", [("r.yaml:1:4", "tags are not allowed: 'tag:yaml.org,2002:str'")]),
        ("a: ! 1\n", [("r.yaml:1:4", "tags are not allowed: '!'")]),
        ("a: !x [1]\n", [("r.yaml:1:4", "tags are not allowed: '!x'")]),
        ("a:\n  <<: {b: 1}\n", [("r.yaml:2:3", "merge keys are not allowed")]),
        ("a: 1\nb: 2\na: 3\n", [("r.yaml:3:1", "duplicate key 'a', first in line 1")]),
        ("a: {b: 1, 'b': 2}\n", [("r.yaml:1:11", "duplicate key 'b', first in line 1")]),
        ("? [a]\n: 1\n", [("r.yaml:1:3", "a key must be text, not a list or mapping")]),
        ("? {a: 1}\n: 1\n", [("r.yaml:1:3", "a key must be text, not a list or mapping")]),
        ("[" * 33, [("r.yaml:1:33", "nested deeper than 32 levels")]),
        ("{a: " * 33, [("r.yaml:1:129", "nested deeper than 32 levels")]),
        ("- " * 32 + "- a", [("r.yaml:1:65", "nested deeper than 32 levels")]),
        (
            " " * 121 + "a: 1",
            [("r.yaml:1:122", "a value begins after column 120: nested or indented too deep")],
        ),
        ("a: [1\n", [("r.yaml:2:1", "not valid YAML: did not find expected ',' or ']'")]),
        ("a: 'x\n", [("r.yaml:2:1", "not valid YAML: found unexpected end of stream")]),
        (
            "a: b: c\n",
            [("r.yaml:1:5", "not valid YAML: mapping values are not allowed in this context")],
        ),
        (
            "\ta: 1\n",
            [("r.yaml:1:1", "not valid YAML: found character that cannot start any token")],
        ),
        (
            "a: @x\n",
            [("r.yaml:1:4", "not valid YAML: found character that cannot start any token")],
        ),
        ("a: b\x00\n", [("r.yaml:1:5", "character U+0000 is not allowed in a rule file")]),
        ("a:\n  b\x07\n", [("r.yaml:2:4", "character U+0007 is not allowed in a rule file")]),
        ("a: b\rc: d\n", [("r.yaml:1:5", "character U+000D is not allowed in a rule file")]),
        ("# \x85[", [("r.yaml:1:3", "character U+0085 is not allowed in a rule file")]),
        ("# \u2028[", [("r.yaml:1:3", "character U+2028 is not allowed in a rule file")]),
        ("a: \u202eb", [("r.yaml:1:4", "character U+202E is not allowed in a rule file")]),
        ("a: \ud800", [("r.yaml:1:4", "character U+D800 is not allowed in a rule file")]),
        ("a: \ufeff", [("r.yaml:1:4", "character U+FEFF is not allowed in a rule file")]),
        ('a: "\\0"', [("r.yaml:1:4", "the text holds a NUL or half a character")]),
        (f"a: 1\nb: {LINE}", [("r.yaml:2:10001", "the line is longer than 10000 characters")]),
        ("a" * (1 << 20) + "b", [("r.yaml:1:1", "the file is longer than 1048576 bytes")]),
        (
            b"a: 1\nb: \xc3\xa9\xff",
            [("r.yaml:2:5", "the file is not UTF-8: byte 0xff cannot be read")],
        ),
        (b"\xff\xfea\x00", [("r.yaml:1:1", "the file is not UTF-8: byte 0xff cannot be read")]),
        ("%YAML 1.1\n---\na: 1\n", [("r.yaml:1:1", "YAML directives are not allowed")]),
        (
            "- x\n" * 50_001,
            [("r.yaml:50000:3", "more than 50000 values in one file")],
        ),
        ("--- x\n" * 1_001, [("r.yaml:1001:1", "more than 1000 documents in one file")]),
        (
            "a: &x 1\nb: *x\nc: 1\nc: 2\n",
            [
                ("r.yaml:1:4", "anchors are not allowed: '&x'"),
                ("r.yaml:2:4", "aliases are not allowed"),
                ("r.yaml:4:1", "duplicate key 'c', first in line 3"),
            ],
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str | bytes) else "",
)
def test_what_is_not_plain_data_is_refused_where_it_stands(content, expected):
    assert problems(content) == expected


def test_the_pure_parser_refuses_what_it_cannot_read(monkeypatch):
    monkeypatch.delattr(yaml, "CSafeLoader")
    ((place, message),) = problems('a: "\\UFFFFFFFF"')  # the error's type differs by version
    assert (place, message.partition(":")[0]) == ("r.yaml:1:1", "not valid YAML")
    assert problems('a: "\\ud800"') == [("r.yaml:1:4", "the text holds a NUL or half a character")]
    assert problems("a: [b\n") == [
        ("r.yaml:2:1", "not valid YAML: expected ',' or ']', but got '<stream end>'")
    ]


def test_thirty_two_levels_are_read():
    assert problems("[" * 32 + "]" * 32) == []
    assert problems("- " * 31 + "[]") == []


def test_brackets_in_text_and_quotes_are_no_nesting():
    lines = [f"k{n}: it's [{n}] '[' \\[ [a-z]\nq{n}: '\\[(?P<x>[^]]+'\n" for n in range(200)]
    assert problems("".join(lines)) == []


def test_a_document_with_a_part_left_out_is_left_out():
    sheet = Sheet("r.yaml")
    (node,) = read("a: *x\n---\nb: 1\n", sheet)
    assert isinstance(node, Table)
    assert list(node.values) == ["b"]


def test_a_full_sheet_ends_the_reading():
    sheet = Sheet("r.yaml")
    with pytest.raises(TooManyProblemsError):
        read("- &a x\n" * 1_000, sheet)
    assert len(sheet.problems) == MOST_PROBLEMS
