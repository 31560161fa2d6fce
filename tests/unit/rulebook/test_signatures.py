"""Log lines become typed facts in linear time, the same with all patterns at once as one by one."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.errors import RuleError
from doctor.model.rule import Signature
from doctor.rulebook import RuleSource, SignatureSet, check_signatures, load_rulebook
from doctor.rulebook.patterns import PatternError, compile_pattern, optional_groups
from doctor.rulebook.signatures import MOST_SIGNATURES

HTTP = """\
format: doctor/1
signatures:
  - kind: http.failure
    pattern: 'HTTPError: (?P<status>[45]\\d\\d) .* for url: (?P<endpoint>\\S+)'
    fields: {status: int, endpoint: url_path}
    tests: ['HTTPError: 500 Server Error for url: http://localhost:8000/runs/r1?x=1']
    silent: ['HTTPError: 200 OK for url: /runs']
  - kind: http.failure
    pattern: 'connection (?:to (?P<endpoint>\\S+) )?reset'
    fields: {endpoint: url_path}
    tests: ['connection reset']
  - {kind: log.note, pattern: ok, tests: [it is ok]}
"""


def signature(pattern, kind="k", **fields):
    return Signature(kind, pattern, fields, (), (), "s.yaml:1")


def load(text):
    return load_rulebook([RuleSource("s", (("s.yaml", text),))])


def problems(text):
    with pytest.raises(RuleError) as caught:
        load(text)
    found = caught.value.problems
    return [(problem.location, problem.message, problem.hint) for problem in found]


def test_signatures_are_read_as_values():
    loaded = load(HTTP).rulebook.signatures
    assert loaded[0] == Signature(
        "http.failure",
        r"HTTPError: (?P<status>[45]\d\d) .* for url: (?P<endpoint>\S+)",
        {"status": "int", "endpoint": "url_path"},
        ("HTTPError: 500 Server Error for url: http://localhost:8000/runs/r1?x=1",),
        ("HTTPError: 200 OK for url: /runs",),
        "s.yaml:3",
    )
    assert [one.origin for one in loaded] == ["s.yaml:3", "s.yaml:8", "s.yaml:12"]
    assert loaded[2] == Signature("log.note", "ok", {}, ("it is ok",), (), "s.yaml:12")


def test_a_line_becomes_the_facts_of_each_kind_it_fits():
    loaded = load(HTTP).rulebook.signatures
    signatures = SignatureSet(loaded)
    line = "ok HTTPError: 503 x for url: https://h:1/a/b#f connection to /c?d reset"
    assert signatures.match_line(line) == [
        (loaded[0], {"status": 503, "endpoint": "/a/b"}),
        (loaded[2], {}),
    ]
    assert signatures.match_line("connection to /c?d reset") == [(loaded[1], {"endpoint": "/c"})]
    assert signatures.match_line("connection reset") == [(loaded[1], {})]
    assert signatures.match_line("nothing") == []
    assert SignatureSet(()).match_line("nothing") == []


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "-12", -12),
        ("int", "1" * 18, int("1" * 18)),
        ("int", "1" * 19, None),
        ("int", "x", None),
        ("int", "1.0", None),
        ("int", "", None),
        ("int", "٣", None),
        ("float", "1.5e3", 1500.0),
        ("float", "7", 7.0),
        ("float", ".5", 0.5),
        ("float", "inf", None),
        ("float", "nan", None),
        ("float", "1e999", None),
        ("bool", "True", True),
        ("bool", "no", False),
        ("bool", "1", True),
        ("bool", "maybe", None),
        ("str", "", ""),
        ("str", "é\t" * 300, "é\t" * 250),
        ("url_path", "http://h/a/b?c#d", "/a/b"),
        ("url_path", "https://h", "/"),
        ("url_path", "https://h?x=/y", "/"),
        ("url_path", "/a/b?c=d", "/a/b"),
        ("url_path", "/a?u=http://x/y", "/a"),
        ("url_path", "/x/http://h/y", "/x/http://h/y"),
        ("url_path", "a/b", "a/b"),
        ("url_path", "http://[", "/"),
        ("url_path", "http://h/" + "a" * 600, "/" + "a" * 499),
    ],
)
def test_captured_text_is_converted_or_the_signature_does_not_fit(kind, text, value):
    one = signature("^<(?P<f>[^>]*)>$", f=kind)
    found = SignatureSet([one]).match_line(f"<{text}>")
    assert found == ([] if value is None else [(one, {"f": value})])


def test_the_next_signature_of_a_kind_is_tried_where_a_value_cannot_be_converted():
    first, second = signature("s=(?P<f>.+)", f="int"), signature("s=(?P<g>.+)", g="str")
    signatures = SignatureSet([first, second])
    assert signatures.match_line("s=5") == [(first, {"f": 5})]
    assert signatures.match_line("s=x") == [(second, {"g": "x"})]


def test_half_characters_and_long_lines_do_not_disturb():
    one = signature("a(?P<f>.)$", f="str")
    assert SignatureSet([one]).match_line("a\ud800") == [(one, {"f": "?"})]
    assert SignatureSet([one]).match_line("x" * 70_000 + "ab") == []
    assert SignatureSet([one]).match_line("x" * 65_534 + "ab") == [(one, {"f": "b"})]


def test_classes_are_ascii_and_a_dot_is_one_character():
    one = signature(r"^\w(?P<f>.)\d$", f="str")
    assert SignatureSet([one]).match_line("xé1") == [(one, {"f": "é"})]
    assert SignatureSet([one]).match_line("éx1") == []
    assert SignatureSet([one]).match_line("xx٣") == []


def test_too_many_signatures_are_refused():
    many = "  - {kind: k, pattern: p}\n" * (MOST_SIGNATURES + 1)
    assert problems(f"format: doctor/1\nsignatures:\n{many}") == [
        ("s.yaml:2003:5", "more than 2000 signatures", None)
    ]
    with pytest.raises(ValueError, match="more than 2000 signatures"):
        SignatureSet([signature("a")] * (MOST_SIGNATURES + 1))


PARTS = st.sampled_from(["a", "b", "ab", ".", "[ab]", r"\d", "1", "a+", "(?:ab)?", "b*", "^", "$"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=5).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, min_size=1, max_size=12), st.lists(st.text("ab1é", max_size=12)))
def test_all_patterns_at_once_find_what_each_finds_alone(patterns, lines):
    signatures = [signature(one, f"k{number}") for number, one in enumerate(patterns)]
    together = SignatureSet(signatures)
    for line in lines:
        alone = [one for one in signatures if SignatureSet([one]).match_line(line)]
        assert [one for one, _ in together.match_line(line)] == alone


EVIL = [
    "(a+)+$",
    "(a|a)*$",
    "(a|aa)+$",
    "([a-z]+)*$",
    "(.*)*$",
    "(.*a){20}$",
    "(a*)*b",
    "(x+x+)+y",
    "(([a-z])+.)+[A-Z]([a-z])+$",
    r"(\w+\s?)*$",
    r"^(([^<>])*)*$",
    "(a?){50}a{50}",
    "(?P<f>.*)(?P<g>.*)(?P<h>.*)!",
    r"(\d+)*x",
    "(.+)+!",
    "(a+){10}$",
    "(?i)(A+)+$",
]


@pytest.mark.parametrize("pattern", EVIL)
def test_evil_patterns_take_linear_time(pattern):
    names = compile_pattern(pattern).groupindex
    signatures = SignatureSet([signature(pattern, **dict.fromkeys(names, "str"))])
    signatures.match_line("a" * 10)
    start = time.perf_counter()
    signatures.match_line("a" * 65_000 + "~")
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize(
    ("pattern", "message", "hint"),
    [
        (
            "a(?=b)",
            "the pattern is not RE2 syntax: invalid perl operator: (?=",
            "lookahead and lookbehind do not exist in RE2",
        ),
        (
            "(?<!a)b",
            "the pattern is not RE2 syntax: invalid perl operator: (?<!",
            "lookahead and lookbehind do not exist in RE2",
        ),
        (
            r"(a)\1",
            "the pattern is not RE2 syntax: invalid escape sequence: \\1",
            "backreferences do not exist in RE2",
        ),
        (r"a\Z", "the pattern is not RE2 syntax: invalid escape sequence: \\Z", None),
        ("(a", "the pattern is not RE2 syntax: missing ): (a", None),
        ("[z-a]", "the pattern is not RE2 syntax: invalid character class range: z-a", None),
        ("a{201}", "{201} repeats more than 200 times", "use * or +, captured text is cut anyway"),
        (
            "a{1,99999999999999999}",
            "{1,99999999999999999} repeats more than 200 times",
            "use * or +, captured text is cut anyway",
        ),
        (
            "((a{100}){100}){100}",
            "the pattern is not RE2 syntax: invalid repetition size: {100}",
            None,
        ),
        (
            "(?:(?:a{30}b){20}c){1}" * 20,
            "the pattern is too large",
            "split it into several signatures",
        ),
        ("a" * 1001, "the pattern is longer than 1000 characters", None),
        ("(?P<a>x)(?P<a>y)", "two groups are called 'a'", None),
        ("\ud800", "the pattern is not RE2 syntax: utf-8", None),
    ],
)
def test_patterns_that_re2_does_not_know_are_refused(pattern, message, hint):
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("pattern", "optional"),
    [
        ("(?P<a>x)", ""),
        ("(?P<a>x)?", "a"),
        ("(?P<a>x)*", "a"),
        ("(?P<a>x)+", ""),
        ("(?P<a>x){0,2}", "a"),
        ("(?P<a>x){1,2}", ""),
        ("(?P<a>x){0}", "a"),
        ("(?P<a>x)??", "a"),
        ("(?P<a>x)|(?P<b>y)", "a b"),
        ("(?P<a>x|y)", ""),
        ("(?:(?P<a>x)|y)(?P<b>z)", "a"),
        ("(?P<a>x(?P<b>y)|z)", "b"),
        ("(x(?P<a>y)?z)+", "a"),
        ("((?P<a>y)z)?(?P<b>w)", "a"),
        (r"\((?P<a>x)\)?", ""),
        ("[(|](?P<a>x)[?]", ""),
        ("[]|(](?P<a>x)", ""),
        (r"\Q(|)?\E(?P<a>x)", ""),
        ("(?i)(?P<a>x)", ""),
        ("(?i:(?P<a>x))?", "a"),
        ("[[:alpha:]|](?P<a>x)", ""),
        ("(?<a>x)?", "a"),
        (r"\|(?P<a>x)\?", ""),
        ("(?P<a>x)y?", ""),
    ],
)
def test_groups_that_may_be_without_text_are_known(pattern, optional):
    assert optional_groups(pattern) == frozenset(optional.split())


NODES = st.recursive(
    st.sampled_from(["a", "b", "[ab|(]", r"\(", "(?P<NAME>a)", "(?P<NAME>b*)"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(inner, st.sampled_from(["", "?", "*", "+", "{0,2}", "{2}"])).map(
            "(?:{0[0]}){0[1]}".format
        ),
        inner.map("(?P<NAME>{})".format),
        st.tuples(inner, inner).map("(?P<NAME>{0[0]}|{0[1]})".format),
    ),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(NODES, st.lists(st.text("ab(", max_size=8), max_size=20))
def test_a_group_that_is_not_optional_always_has_text(pattern, lines):
    parts = pattern.split("NAME")
    named = parts[0] + "".join(f"g{number}{part}" for number, part in enumerate(parts[1:]))
    compiled = compile_pattern(named)
    sure = set(compiled.groupindex) - optional_groups(named)
    for line in lines:
        match = compiled.search(line)
        if match is not None:
            assert all(match.group(name) is not None for name in sure)


BAD = [
    ("signatures: {}", "2:13", "signatures must be a list, not a mapping", None),
    ("signatures: []", "2:13", "the list of signatures is empty", None),
    ("signatures: [x]", "2:14", "a signature must be a mapping, not text", None),
    ("signatures: [{kind: K, pattern: a}]", "2:21", "kind 'K' must look like 'http.failure'", None),
    ("signatures: [{kind: k}]", "2:14", "a signature needs the key 'pattern'", None),
    (
        "signatures: [{kind: k, pattern: a, field: {}}]",
        "2:36",
        "unknown key 'field' in a signature",
        "did you mean 'fields'?",
    ),
    (
        "signatures: [{kind: k, pattern: 'a(?=b)'}]",
        "2:33",
        "the pattern is not RE2 syntax: invalid perl operator: (?=",
        "lookahead and lookbehind do not exist in RE2",
    ),
    (
        "signatures: [{kind: k, pattern: 'a(?P<x>b)'}]",
        "2:39",
        "group 'x' of the pattern is not in fields",
        None,
    ),
    (
        "signatures: [{kind: k, pattern: '(?P<status>b)', fields: {statsu: int}}]",
        "2:38",
        "group 'status' of the pattern is not in fields",
        "did you mean 'statsu'?",
    ),
    (
        "signatures: [{kind: k, pattern: '(?P<status>b)', fields: {statsu: int}}]",
        "2:59",
        "field 'statsu' is no named group of the pattern",
        "did you mean 'status'?",
    ),
    (
        "signatures: [{kind: k, pattern: b, fields: {y: int}}]",
        "2:45",
        "field 'y' is no named group of the pattern",
        "write (?P<y>...) in the pattern",
    ),
    (
        "signatures: [{kind: k, pattern: '(?P<x>b)', fields: {x: integer}}]",
        "2:57",
        "'integer' is no valid field type",
        "did you mean 'int'?",
    ),
    (
        "signatures: [{kind: k, pattern: '(?P<x>b)', fields: {x: list}}]",
        "2:57",
        "the text of a line cannot become a list",
        "one of: str, int, float, bool, url_path",
    ),
    (
        "signatures: [{kind: k, pattern: '(?P<run>b)', fields: {run: int}}]",
        "2:61",
        "the field 'run' must be a str",
        None,
    ),
    (
        "signatures: [{kind: k, pattern: b, tests: [1]}]",
        "2:44",
        "an item of tests must be text, not 1",
        "put it in quotes",
    ),
    (
        "signatures: [{kind: k, pattern: b, fields: [x]}]",
        "2:44",
        "fields must be a mapping, not a list",
        None,
    ),
    (
        (
            "signatures: [{kind: k, pattern: '(?P<x>b)', fields: {x: int}}, "
            "{kind: k, pattern: '(?P<x>c)', fields: {x: str}}]"
        ),
        "2:107",
        "field 'x' of 'k' is a int at s.yaml:2:57",
        "make both int",
    ),
]


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"), BAD, ids=[f"{line[1]} {line[2]}" for line in BAD]
)
def test_a_wrong_signature_is_named_with_its_place(text, place, message, hint):
    assert (f"s.yaml:{place}", message, hint) in problems(f"format: doctor/1\n{text}\n")


def test_examples_are_checked():
    text = (
        HTTP.replace("[it is ok]", "[it is bad]")
        .replace("200 OK", "404 OK")
        .replace("    tests: ['connection reset']\n", "")
    )
    found = check_signatures(load(text).signatures)
    assert [(one.location, one.message, one.hint) for one in found] == [
        (
            "s.yaml:7:14",
            "the pattern matches 'HTTPError: 404 OK for url: /runs', on which it should be silent",
            None,
        ),
        ("s.yaml:8:5", "the signature of 'http.failure' has no test line", "add 'tests: [LINE]'"),
        ("s.yaml:11:43", "the pattern does not match its test line 'it is bad'", None),
    ]
    assert check_signatures(load(HTTP).signatures) == ()
