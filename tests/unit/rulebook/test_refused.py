"""Sixty kinds of bad YAML and thirty evil patterns: refused where they stand, nothing else down."""

from __future__ import annotations

import re
import time

import pytest

from doctor.errors import RuleError
from doctor.model.evidence import FactField, FactKind
from doctor.registry import Pack, Registry
from doctor.rulebook import RuleSource, SignatureSet, load_rulebook
from doctor.rulebook.authoring import read_book
from doctor.rulebook.book import load_book
from doctor.rulebook.cache import RuleCache

GOOD = """\
format: doctor/1
rule: db.bad
code: DB001
revision: 1
title: t
status: stable
level: high
owner: o
retryable: false
needs: [db.bad]
match:
  bad: {kind: db.bad, share|gte: 0.5}
  many: {count_of: bad, group_by: [run], within: 10m, gte: 2}
  condition: bad or many
join: [run]
confirm: {probe: db.bad}
diagnosis: {cause: c, message: "m ${run}", hint: h}
remedies:
  - {id: set, fixer: db.set, tier: SAFE, verify: [{rerun: confirm, expect: clear}]}
explanation: {what: w, why: y, fix_safety: s}
tests:
  - {name: one, given: {facts: [{kind: db.bad, run: r, share: 0.5}]}, expect: {verdict: match}}
  - {name: none, given: {}, expect: {verdict: no_match}}
"""
SIGNATURE = "format: doctor/1\nsignatures:\n- kind: a.b\n  pattern: '{}'\n  tests: [x]\n"


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1)


BAD_YAML = {
    "no document": "---\n",
    "a list": "- a\n",
    "a word": "word\n",
    "nothing known": "a: 1\n",
    "tab indentation": "a:\n\tb: 1\n",
    "unclosed list": "a: [1, 2\n",
    "unclosed mapping": "a: {b: 1\n",
    "unclosed quote": "a: 'b\n",
    "unclosed double quote": 'a: "b\n',
    "mapping in a word": "a: b: c\n",
    "wrong indentation": "a:\n  b: 1\n c: 2\n",
    "an anchor": changed("title: t", "title: &a t"),
    "an alias": changed("title: t", "title: *a"),
    "an anchor and its alias": changed("title: t\n", "title: &a t\n").replace(
        "hint: h", "hint: *a"
    ),
    "a merge key": changed("title: t", "title: t\n<<: {}"),
    "a tag": changed("title: t", "title: !x t"),
    "a python tag": changed("title: t", "title: !!python/object/apply:os.system [x]"),
    "a directive": "%YAML 1.1\n---\n" + GOOD,
    "a duplicate key": changed("title: t", "title: t\ntitle: u"),
    "a duplicate key below": changed("hint: h", "hint: h, hint: i"),
    "a list as key": changed("title: t", "title: t\n? [a]\n: b"),
    "a NUL": changed("title: t", 'title: "\\0"'),
    "a control character": changed("title: t", "title: \x07"),
    "text that runs backwards": changed("title: t", "title: \u202et"),
    "half a character": changed("title: t", 'title: "\\ud800"'),
    "not UTF-8": changed("title: t", "title: @@").encode().replace(b"@@", b"\xff\xfe"),
    "UTF-16": GOOD.encode("utf-16"),
    "nested too deep": changed("title: t", f"title: {'[' * 40}{']' * 40}"),
    "indented too far": changed("title: t", f"title: t\n{' ' * 130}a: 1"),
    "a line too long": changed("title: t", f"title: {'t' * 11_000}"),
    "a file too long": GOOD + "# x\n" * 300_000,
    "too many values": "a: [" + ",\n ".join(["1"] * 51_000) + "]\n",
    "too many documents": "---\na: 1\n" * 1_100,
    "a number too large": changed("revision: 1", "revision: 99999999999999999999999"),
    "infinity": changed("0.5}", ".inf}"),
    "no format": changed("format: doctor/1\n", ""),
    "an unknown format": changed("doctor/1", "doctor/9"),
    "two kinds in one": changed("rule: db.bad", "rule: db.bad\nmapping: a.b"),
    "a system": "format: doctor/1\nsystem: x\n",
    "an unknown key": changed("title: t", "titel: t"),
    "a missing key": changed("owner: o\n", ""),
    "an id with blanks": changed("rule: db.bad", "rule: db bad"),
    "a code in small letters": changed("DB001", "db001"),
    "a revision of text": changed("revision: 1", "revision: one"),
    "a revision of zero": changed("revision: 1", "revision: 0"),
    "an unknown level": changed("level: high", "level: hihg"),
    "an unknown status": changed("status: stable", "status: stabel"),
    "retryable perhaps": changed("retryable: false", "retryable: perhaps"),
    "an empty title": changed("title: t", "title: ''"),
    "a number as owner": changed("owner: o", "owner: 7"),
    "an unknown modifier": changed("share|gte", "share|gt"),
    "an order of text": changed("share|gte: 0.5", "share|gte: high"),
    "compared with null": changed("share|gte: 0.5", "share: null"),
    "a bad duration": changed("within: 10m", "within: 10 minutes"),
    "a count of nothing": changed("count_of: bad", "count_of: good"),
    "a count of a count": changed("count_of: bad", "count_of: many"),
    "an unused selection": changed("condition: bad or many", "condition: bad"),
    "an unknown selection": changed("condition: bad or many", "condition: bda or many"),
    "a bad condition": changed("condition: bad or many", "condition: bad or or many"),
    "a condition of nothing": changed("condition: bad or many", "condition: not bad or many"),
    "a condition nested too deep": changed("bad or many", "(" * 40 + "bad" + ")" * 40 + " or many"),
    "a dollar": changed("m ${run}", "m $run"),
    "evaluation in a template": changed("m ${run}", "m ${run.x}"),
    "an unknown tier": changed("tier: SAFE", "tier: SAVE"),
    "an unknown fact kind": changed("kind: db.bad, share", "kind: db.bda, share"),
    "an unknown field": changed("share|gte", "shrae|gte"),
    "a value of another type": changed("share|gte: 0.5", "run: 5"),
    "an unknown probe": changed("probe: db.bad", "probe: db.bda"),
    "an unknown fixer": changed("fixer: db.set", "fixer: db.ste"),
    "a join that may be missing": changed("join: [run]", "join: [share]"),
    "a template without its field": changed("m ${run}", "m ${rnu}"),
    "two rules of one id": f"{GOOD}---\n{changed('DB001', 'DB002')}",
    "rules that explain each other": GOOD.replace("join:", "explains: [db.bad]\njoin:"),
    "an unknown rule explained": GOOD.replace("join:", "explains: [db.bda]\njoin:"),
}
EVIL_PATTERNS = {
    "lookahead": "x(?=y)",
    "negative lookahead": "x(?!y)",
    "lookbehind": "(?<=x)y",
    "negative lookbehind": "(?<!x)y",
    "backreference": r"(x)\1",
    "named backreference": "(?P<n>x)(?P=n)",
    "perl backreference": r"(?P<n>x)\k<n>",
    "relative backreference": r"(x)\g{-1}",
    "recursion": "x(?R)?",
    "subroutine": "(x)(?1)",
    "atomic group": "(?>x+)y",
    "possessive": "x++y",
    "conditional": "(x)?(?(1)y|z)",
    "comment": "x(?#y)",
    "branch reset": "(?|x|y)",
    "keep": r"x\Ky",
    "callout": "x(?C1)",
    "code": "x(?{1})",
    "verbs": "(*ACCEPT)x",
    "counted twice": "((x{100}){100}){100}",
    "counted too often": "x{1000000}",
    "counted above the bound": "x{201}",
    "counted from above the bound": "x{500,}",
    "counted backwards": "x{3,2}",
    "nothing to repeat": "*x",
    "repeated twice": "x**",
    "unclosed group": "(x",
    "unopened group": "x)",
    "unclosed class": "[x",
    "range backwards": "[z-a]",
    "unknown class": "[[:what:]]",
    "unknown property": r"\p{What}",
    "unknown escape": r"x\y",
    "trailing backslash": "x\\",
    "two groups of one name": "(?P<n>x)(?P<n>y)",
    "a group that is no field": "(?P<n>x)",
    "too long": "x" * 1_001,
    "too large": r"(?:\pL{50}|\pN{50}|\pS{50}){20}",
    "half a character": "x\ud800",
}
CATASTROPHIC = [
    "(x+)+$",
    "(x|xx)+$",
    "(x*)*y",
    "(x|x)*y",
    "(.*)(.*)(.*)(.*)(.*)y",
    "(x?){50}x{50}y",
]
PLACE = re.compile(r"mine/r\.yaml:[1-9][0-9]*:[1-9][0-9]*")


class Probe:
    name = "db.bad"
    kinds = (FactKind("db.bad", "t", (FactField("run"), FactField("share", "float", False))),)


class Fixer:
    name = "db.set"


def refused_and_survived(tmp_path, content):
    """Write it into a pack that was good, and return the mistakes."""
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    registry = Registry((Probe(),), (Fixer(),), (Pack("mine", folder),), ())  # type: ignore[arg-type]
    cache = RuleCache(tmp_path / "cache")
    (folder / "r.yaml").write_text(GOOD)
    assert load_book(registry, cache=cache).gaps == ()
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    (folder / "r.yaml").write_bytes(data)
    book = load_book(registry, cache=cache)
    assert [one.id for one in book.rules] == ["db.bad"]
    assert [one.probe for one in book.gaps] == ["rules mine"]
    assert PLACE.match(book.gaps[0].reason)
    with pytest.raises(RuleError) as caught:
        read_book(registry)
    return caught.value.problems


def test_the_lists_are_long_enough():
    assert len(BAD_YAML) >= 60
    assert len(EVIL_PATTERNS) >= 30


def test_what_they_are_made_from_is_good(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "r.yaml").write_text(f"{GOOD}---\n{SIGNATURE.format('x')}")
    registry = Registry((Probe(),), (Fixer(),), (Pack("mine", folder),), ())  # type: ignore[arg-type]
    assert [one.id for one in read_book(registry)[0].rules] == ["db.bad"]


@pytest.mark.parametrize("kind", BAD_YAML)
def test_bad_yaml_is_refused_with_its_place_and_the_last_good_pack_stays_in_force(tmp_path, kind):
    problems = refused_and_survived(tmp_path, BAD_YAML[kind])
    assert problems
    assert all(PLACE.fullmatch(one.location or "") for one in problems)
    assert all(one.message for one in problems)


@pytest.mark.parametrize("kind", EVIL_PATTERNS)
def test_an_evil_pattern_is_refused_with_its_place_and_the_last_good_pack_stays_in_force(
    tmp_path, kind
):
    text = SIGNATURE.format(EVIL_PATTERNS[kind])
    problems = refused_and_survived(tmp_path, f"{GOOD}---\n{text}")
    assert all(PLACE.fullmatch(one.location or "") for one in problems)


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_pattern_that_others_choke_on_takes_linear_time(pattern):
    source = RuleSource("s", (("s.yaml", SIGNATURE.format(pattern)),))
    known = SignatureSet(load_rulebook([source]).rulebook.signatures)
    start = time.perf_counter()
    known.match_line("x" * 60_000 + "!")
    assert time.perf_counter() - start < 5
