"""Files that kill or exhaust naive readers are refused, and the process goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.errors import RuleError
from doctor.rulebook import RuleSource, load_rulebook
from doctor.rulebook.nodes import Items, Table
from doctor.rulebook.problem import MOST_PROBLEMS, Sheet
from doctor.rulebook.reader import read
from doctor.rulebook.scalars import resolve

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

ALIAS_BOMB = "a: &a [x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
)
MERGE_BOMB = "a: &a {k: v}\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [*{chr(97 + n)}, *{chr(97 + n)}]}}\n" for n in range(20)
)
HIDDEN_BLOCK = "".join(f'{" " * (2 * n)}a:\n{" " * (2 * n)}  b: "\nx"\n' for n in range(50))
HIDDEN = ["[']', ", '["]", ', "[ # ]\n", "[a 'b, ", "[it's, ", "['it''s]', ", '["\\"]", ']

DEEP = "nested deeper than 32 levels"
FAR = "a value begins after column 120: nested or indented too deep"
LONG = "the line is longer than 10000 characters"
HOSTILE = {
    "25,000 lists": (b"[" * 25_000, LONG),
    "half a million lists": (b"[" * 500_000, LONG),
    "9,000 lists": (b"[" * 9_000, DEEP),
    "mappings": (b"{" * 9_000, DEEP),
    "mappings in mappings": (b"{a: " * 2_000, DEEP),
    "lists on lines": (b"[\n" * 25_000, DEEP),
    "mappings on lines": (b"{a:\n" * 25_000, DEEP),
    "lists after text": (b"a: " + b"[" * 9_000, DEEP),
    "lists in apparent text": (b"it's\n" + b"[" * 9_000, DEEP),
    "lists after a marker": (b"--- " + b"[" * 9_000, DEEP),
    "tags with brackets": (b"[!<]>\n" * 25_000, "tags are not allowed: ']'"),
    "brackets in comments": (b"# [\n" * 20_000, "brackets without their end"),
    "an unknown character": (b'a: "\\UFFFFFFFF"', "not valid YAML"),
    "lost brackets": (b"[?],\n" * 25_000, "'?' without a key"),
    **{f"hidden end {text!r}": (f"{text}\n".encode() * 25_000, DEEP) for text in HIDDEN},
    "compact sequences": (b"- " * 4_000, FAR),
    "compact mappings": (b"? " * 4_000, FAR),
    "compact values": (b"? a\n" + b": " * 4_000, FAR),
    "compact after a marker": (b"--- " + b"- " * 4_000, FAR),
    "deep block": ("".join(f"{' ' * n}a:\n" for n in range(1_000)).encode(), FAR),
    "deep block between quotes": (HIDDEN_BLOCK.encode(), DEEP),
    "deep list of lists": ("".join(f"{' ' * n}-\n" for n in range(100)).encode(), DEEP),
    "alias bomb": (ALIAS_BOMB.encode(), "anchors are not allowed: '&a'"),
    "merge bomb": (MERGE_BOMB.encode(), "anchors are not allowed: '&a'"),
    "2 MB on a line": (b"a: " + b"x" * 2_000_000, "the file is longer than 1048576 bytes"),
    "900 KB on a line": (b"a: " + b"x" * 900_000, LONG),
    "900 KB of quotes": (b"a: '" + b"''\n" * 300_000, "not valid YAML: found unexpected end"),
    "NUL": (b"a: b\x00c", "character U+0000 is not allowed"),
    "only NUL": (b"\x00" * 1000, "character U+0000 is not allowed"),
    "escape": (b"a: \x1b[31m", "character U+001B is not allowed"),
    "NUL as escape": (b'a: "\\0"', "the text holds a NUL"),
    "half a character as escape": (b'a: "\\ud800"', ""),
    "UTF-16 with mark": ("a: b".encode("utf-16"), "the file is not UTF-8: byte 0xff"),
    "UTF-16": ("a: b".encode("utf-16-le"), "character U+0000 is not allowed"),
    "UTF-32": ("a: b".encode("utf-32"), "the file is not UTF-8: byte 0xff"),
    "binary": (bytes(range(256)) * 100, "the file is not UTF-8: byte 0x80"),
    "an encoded half character": (b"a: \xed\xa0\x80", "the file is not UTF-8: byte 0xed"),
    "cut UTF-8": (b"a: \xe2\x82", "the file is not UTF-8: byte 0xe2"),
    "60,000 values": (b"a: [" + b"x,\n" * 60_000 + b"]", "more than 50000 values"),
    "2,000 documents": (b"--- a\n" * 2_000, "more than 1000 documents in one file"),
    "many mistakes": (b"- &a x\n" * 20_000, "anchors are not allowed: '&a'"),
    "a directive": (b"%YAML 1.1\n---\na: b\n", "YAML directives are not allowed"),
    "a tag directive": (b"%TAG ! tag:x,2000:\n---\na: b\n", "YAML directives are not allowed"),
    "a python object": (b"!!python/object/apply:os.system [x]\n", "tags are not allowed"),
    "unfinished": (b"a: [b, 'c", "not valid YAML"),
    "a huge number": (b"format: doctor/1\nrule: " + b"9" * 9_000, "rule id: the number"),
    "a huge exponent": (b"format: doctor/1\nrule: 1e999999999", "rule id: the number"),
}
CHILD = """\
import json, pathlib, sys
from doctor.errors import RuleError
from doctor.rulebook import RuleSource, load_rulebook
if sys.argv[1] == "pure":
    import yaml
    del yaml.CSafeLoader
for file in sys.argv[2:]:
    content = pathlib.Path(file).read_bytes()
    try:
        load_rulebook([RuleSource("hostile", (("evil.yaml", content),))])
    except RuleError as error:
        problems = [[problem.location, problem.message] for problem in error.problems]
        print(json.dumps(problems), flush=True)
"""


@pytest.mark.parametrize("parser", ["c", "pure"])
def test_a_process_survives_every_hostile_file(tmp_path, parser):
    files = [tmp_path / str(number) for number in range(len(HOSTILE))]
    for file, (content, _) in zip(files, HOSTILE.values(), strict=True):
        file.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, parser, *files],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for (name, (_, message)), problems in zip(HOSTILE.items(), answers, strict=True):
        assert 1 <= len(problems) <= MOST_PROBLEMS, name
        assert problems[0][0].startswith("evil.yaml:"), name
        if parser == "c":
            assert problems[0][1].startswith(message), name


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=400) | st.text(st.characters(), max_size=400))
def test_random_content_raises_nothing_but_rule_errors(content):
    try:
        load_rulebook([RuleSource("random", (("r.yaml", content),))])
    except RuleError as error:
        assert error.problems  # noqa: PT017


WORDS = st.sampled_from(
    (  # noqa: SIM905
        "format doctor/1 rule code revision match condition kind tests given facts gaps join not "
        "and override system mapping values signatures pattern fields diagnosis message hint ${x} "
        "$ x* 1 .inf ~ true confirm probe remedies tier SAFE verify rerun expect status at times "
        "every (?P<a>x) limits cost explanation count_of group_by within gte x|gte x|in x|y 10m"
    ).split()
)
SHAPES = st.recursive(
    WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=40,
)


@settings(max_examples=250, deadline=None)
@given(
    st.dictionaries(WORDS, SHAPES, max_size=12),
    st.sampled_from(["rule", "signatures", "mapping", "nothing"]),
)
def test_documents_of_known_words_raise_nothing_but_rule_errors(document, kind):
    document = {"format": "doctor/1", kind: "a.b", **document}
    text = yaml.safe_dump(document, default_style=None, sort_keys=False)
    try:
        load_rulebook([RuleSource("random", (("r.yaml", text),))])
    except RuleError as error:
        assert all(problem.location for problem in error.problems)  # noqa: PT017


def plain(node):
    if isinstance(node, Table):
        return {key: plain(value) for key, value in node.values.items()}
    if isinstance(node, Items):
        return [plain(one) for one in node.nodes]
    return resolve(node)


JSON_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Zl", "Zp", "Co"]), max_size=20
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | JSON_TEXT
    | st.floats(-1e300, 1e300, allow_nan=False),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(JSON_TEXT, inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=500, deadline=None)
@given(JSON)
def test_json_reads_as_json_does(value):
    sheet = Sheet("x.json")
    (node,) = read(json.dumps(value, ensure_ascii=False, indent=1), sheet)
    assert plain(node) == value
    assert sheet.problems == []
