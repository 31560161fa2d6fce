"""A log on its own: symptoms counted, facts few but enough, tracebacks as one fact."""

import traceback
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.evidence.kept_facts import EVERY, GROUPS, KeptFacts, counts_of
from doctor.evidence.log_end import log_end
from doctor.evidence.scan import LogScanner, Scan
from doctor.evidence.symptoms import BUCKETS, Histogram, most_important, shown
from doctor.evidence.tracebacks import HEAD, TracebackReader
from doctor.inference.selection import passes
from doctor.inference.windows import counted
from doctor.model.evidence import Fact, Gap
from doctor.model.rule import CountOf, FieldTest, Name, Select, Signature, Symptom
from doctor.rulebook.log_kinds import LOG_END, TRACEBACK
from tests.unit.inference.build import rule

BUSY = Signature(
    "http.failure",
    r"HTTP (?P<status>5\d\d) (?P<endpoint>\S+)",
    {"status": "int", "endpoint": "url_path"},
    (),
    (),
    "x",
    Symptom("server_error", retryable=False),
)
LIMIT = Signature(
    "llm.limit",
    r"rate limit for (?P<run>\w+)",
    {"run": "str"},
    (),
    (),
    "x",
    Symptom("rate_limited", retryable=True, wait=60),
)
LOUD = Signature("note.loud", "loud", {}, (), (), "x", Symptom("loud", noise=True))
AGAIN = Signature(
    "http.again", r"HTTP 5", {}, (), (), "x", Symptom("server_error", retryable=False)
)
PLAIN = Signature("plain", "plain", {}, (), (), "x")
ALL = (BUSY, LIMIT, LOUD, AGAIN, PLAIN)


def asking(*kinds):
    return rule("r", *(Select(f"s{at}", kind) for at, kind in enumerate(kinds)), when=Name("s0"))


def scanned(
    tmp_path, text, kinds=("http.failure", "llm.limit", "plain", TRACEBACK.name, LOG_END.name)
):
    path = tmp_path / "x.log"
    path.write_text(text, encoding="utf-8")
    return LogScanner(ALL, [asking(*kinds)], passes).scan(str(path), lambda _: None)


def test_lines_are_counted_by_class(tmp_path):
    text = (
        "2025-01-01 10:00:00 start\n2025-01-01 10:00:05 HTTP 500 /a token=abcdefgh\nplain\nloud\n"
        "2025-01-01 10:01:00 HTTP 502 /b\nrate limit for r7\n"
    )
    log = scanned(tmp_path, text)
    name = str(tmp_path / "x.log")
    assert [
        (
            one.name,
            one.noise,
            one.retryable,
            one.wait,
            one.count,
            one.file,
            one.first_line,
            one.last_line,
            one.summary,
        )
        for one in log.symptoms
    ] == [
        (
            "server_error",
            False,
            False,
            None,
            2,
            name,
            2,
            5,
            "2025-01-01 10:00:05 HTTP 500 /a token=[hidden]",
        ),
        ("loud", True, "unknown", None, 1, name, 4, 4, "loud"),
        ("rate_limited", False, True, 60, 1, name, 6, 6, "rate limit for r7"),
    ]
    assert (log.lines, log.gaps) == (6, ())
    assert log.ended - log.began == timedelta(seconds=60)
    assert [(one.kind, dict(one.fields), one.line, one.order) for one in log.facts] == [
        ("http.failure", {"status": 500, "endpoint": "/a", "run": "r7"}, 2, 5.0),
        ("plain", {"failures_after": 1, "run": "r7"}, 3, 5.0),
        ("http.failure", {"status": 502, "endpoint": "/b", "run": "r7"}, 5, 60.0),
        ("llm.limit", {"failures_after": 0, "run": "r7"}, 6, 60.0),
    ]


def test_facts_without_a_run_take_the_name_of_the_log(tmp_path):
    log = scanned(tmp_path, "plain\nrate limit for r1\nrate limit for r2\n")
    assert [one.fields["run"] for one in log.facts] == ["x.log", "r1", "r2"]


def test_kinds_that_no_rule_asks_for_are_only_counted(tmp_path):
    log = scanned(tmp_path, "HTTP 500 /a\nplain\n", kinds=("plain",))
    assert [one.kind for one in log.facts] == ["plain"]
    assert [one.count for one in log.symptoms] == [1]


def test_failures_come_before_noise_and_what_retrying_does_not_cure_first(tmp_path):
    log = scanned(tmp_path, "loud\nrate limit for r\nHTTP 500 /a\n")
    assert [one.name for one in most_important(log.symptoms)] == [
        "server_error",
        "rate_limited",
        "loud",
    ]
    scan = Scan((log,), ())
    assert scan.exit_code == 0
    assert Scan((log,), (), (Gap("rules", "broken"),)).exit_code == 9


def test_a_log_without_times_is_drawn_over_its_lines(tmp_path):
    (one,) = scanned(tmp_path, "x\n" * 70 + "loud\n").symptoms
    assert (one.bars.began, one.bars.width, one.bars.counts[35]) == (None, 2.0, 1)


def test_an_unreadable_log_is_a_gap(tmp_path):
    path = tmp_path / "x.log"
    path.write_bytes(b"\x7fELF" + bytes(range(256)))
    log = LogScanner(ALL, [asking("plain")], passes).scan(str(path), lambda _: None)
    assert [one.reason for one in log.gaps] == [f"{path} is not a text file"]
    assert (log.lines, log.symptoms) == (0, ())


@given(st.lists(st.floats(0, 1e9), max_size=80).map(sorted))
def test_a_histogram_counts_everything_in_a_bounded_number_of_buckets(positions):
    histogram = Histogram()
    for one in positions:
        histogram.add(one)
    assert (sum(histogram.counts), len(histogram.counts)) == (len(positions), BUCKETS)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("api_key=abcdef123456 x", "api_key=[hidden] x"),
        ('"password": "hunter2x"', '"password": "[hidden]"'),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer [hidden]"),
        ("postgres://me:secretpw@host/db", "postgres://me:[hidden]@host/db"),
        ("key sk-ant-abcdefghijkl0123 used", "key [hidden] used"),
        (
            "used 512 tokens: fine",
            "used 512 tokens: [hidden]",
        ),
        ("a\x1b[2Jb\x00", "a\\x1b[2Jb\\x00"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_summary_is_safe_to_print(text, safe):
    assert shown(text) == safe


COUNT = CountOf("storm", "failing", ("endpoint",), timedelta(seconds=10), 3)
FAILING = Select("failing", "http.failure", (FieldTest("status", "gte", 500),))
RULE = rule(
    "r", FAILING, COUNT, CountOf("more", "storm", (), timedelta(hours=1), 5), when=Name("storm")
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from([404, 500, 502]),
            st.sampled_from([0, 1, 4, 9, 60]),
        ),
        max_size=60,
    )
)
def test_few_facts_satisfy_the_same_counts_as_all(steps):
    all_facts, order = [], 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("doctor.evidence.kept_facts.EVERY", 5)
        kept = KeptFacts("log:x", counts_of([RULE]), passes)
        for line, (endpoint, status, step) in enumerate(steps, start=1):
            order += step
            fields = {"endpoint": endpoint, "status": status}
            all_facts.append(Fact("http.failure", fields, "log:x", None, line, order))
            kept.add("http.failure", fields, line, None, order)
    few = kept.facts()
    assert {one.line for one in few} <= {one.line for one in all_facts}
    assert list(few) == sorted(few, key=lambda one: one.line or 0)

    def holds(facts):
        failing = [one for one in facts if passes(FAILING.tests[0], one)]
        return {one.fields["endpoint"] for one in counted(COUNT, failing)}

    assert holds(few) == holds(all_facts)


def test_a_million_facts_leave_a_few_and_the_numbers_say_so():
    kept = KeptFacts("log:x", counts_of([RULE]), passes)
    for line in range(EVERY + 5_000):
        kept.add("other", {}, line, None, float(line))
    assert [one.line for one in kept.facts()] == [0, 1, 2, 3, *range(EVERY + 4_996, EVERY + 5_000)]
    for line in range(GROUPS + 10):
        kept.add("other", {"n": line}, line, None, 0.0)
    assert kept.left == 11


def test_too_many_different_symptoms_are_a_gap(tmp_path):
    log = scanned(tmp_path, "".join(f"HTTP 500 /{at}\n" for at in range(GROUPS + 1)))
    assert [one.reason for one in log.gaps] == [
        f"{tmp_path / 'x.log'} has too many different symptoms: 1 are left out"
    ]


def raised(work):
    try:
        work()
    except Exception:  # noqa: BLE001 - whatever it is, its traceback is wanted
        return traceback.format_exc().splitlines()
    raise AssertionError


def direct():
    try:
        int("x")
    except ValueError as error:
        raise KeyError("k") from error


def during():
    try:
        direct()
    except KeyError:
        raise RuntimeError("last\nof two lines")  # noqa: B904 - a context and no cause


def group():
    raise ExceptionGroup("many", [ValueError("one"), TypeError("two")])


def nested():
    try:
        raise_all = [raised_error() for _ in range(2)]
        raise ExceptionGroup("deep", raise_all)
    except ExceptionGroup as error:
        raise LookupError("top") from error


def raised_error():
    try:
        raise OSError("inner")
    except OSError as error:
        return error


def syntax():
    compile("a b c", "some.py", "exec")


CASES = {
    "direct": (
        direct,
        ("KeyError", "'k'", "ValueError", "invalid literal for int() with base 10: 'x'"),
    ),
    "during": (
        during,
        ("RuntimeError", "last", "ValueError", "invalid literal for int() with base 10: 'x'"),
    ),
    "group": (group, ("ExceptionGroup", "many (2 sub-exceptions)", "ValueError", "one")),
    "syntax": (syntax, ("SyntaxError", "invalid syntax", "SyntaxError", "invalid syntax")),
    "plain": (
        lambda: 1 / 0,
        ("ZeroDivisionError", "division by zero", "ZeroDivisionError", "division by zero"),
    ),
}


@pytest.mark.parametrize(
    "prefix", ["", "2025-01-01 10:00:00,123 ERROR worker: ", "    ", "pod-7 | "]
)
@pytest.mark.parametrize("case", CASES)
def test_a_traceback_is_one_fact(tmp_path, case, prefix):
    work, wanted = CASES[case]
    lines = [
        "2025-01-01 10:00:00 INFO before",
        *(prefix + one for one in raised(work)),
        "2025-01-01 10:00:01 INFO after",
    ]
    (fact,) = [
        one
        for one in scanned(tmp_path, "\n".join(lines) + "\n").facts
        if one.kind == TRACEBACK.name
    ]
    assert (
        tuple(fact.fields[name] for name in ("type", "message", "root_type", "root_message"))
        == wanted
    )
    assert fact.line == 2
    assert fact.fields["file"] == ("some.py" if case == "syntax" else __file__)
    assert isinstance(fact.fields["line"], int)


def test_tracebacks_in_turn_are_facts_in_turn_and_a_cut_one_is_none(tmp_path):
    whole = raised(lambda: 1 / 0)
    text = "\n".join(
        [*whole, "", *whole, "text", *whole[:-1], "2025-01-01 10:00:00 INFO on", *whole[:2]]
    )
    facts = [one for one in scanned(tmp_path, text).facts if one.kind == TRACEBACK.name]
    assert [(one.line, one.fields["type"]) for one in facts] == [
        (1, "ZeroDivisionError"),
        (len(whole) + 2, "ZeroDivisionError"),
    ]


def test_a_traceback_over_blocks_is_one_fact(tmp_path):
    whole = raised(during)
    filler = "x" * 100 + "\n"
    head = filler * ((1 << 18) // len(filler) - 2)
    log = scanned(
        tmp_path,
        head + "\n".join([*whole[:3], *["    y" * 30] * 5, *whole[3:]]) + "\n" + filler * 100,
    )
    (fact,) = [one for one in log.facts if one.kind == TRACEBACK.name]
    assert fact.fields["type"] == "RuntimeError"


def test_an_endless_traceback_ends():
    reader = TracebackReader()
    assert reader.feed(f"  {HEAD}:")
    assert sum(reader.feed('  File "x", line 1') for _ in range(3_000)) < 3_000
    assert reader.fields is None


def test_a_group_inside_a_chain_is_read(tmp_path):
    facts = scanned(tmp_path, "\n".join(raised(nested))).facts
    assert {one.fields["type"] for one in facts if one.kind == TRACEBACK.name} <= {
        "ExceptionGroup",
        "LookupError",
    }


@pytest.mark.parametrize(
    ("last", "ended"),
    [
        ("2025-01-01 10:00:00 INFO: Waiting 10s before retry...\n", "abrupt"),
        ("2025-01-01 10:00:00 INFO: process finished with exit code 0\n", "complete"),
        ("===== 3 passed in 0.1s =====\n", "complete"),
        ("2025-01-01 10:0", "abrupt"),
        ("2025-01-01 10:00:00 INFO: a line like any other\n", None),
        ("2025-01-01 10:00:00 INFO: a line like any other", None),
        ('2025 INFO: HTTP Request: POST https://llm.example/v1 "HTTP/1.1 200 OK"\n', "abrupt"),
        ('2025 INFO: HTTP Request: POST https://llm.example/v1 "HTTP/1.1 500 No"\n', None),
        ("2025 INFO: run r1 finished\n2025 INFO: waiting 10s before the next run\n", "abrupt"),
        ("2025 INFO: waiting 10s\n2025 INFO: run r1 finished\n", "complete"),
    ],
)
def test_how_a_log_ends_is_said_only_where_it_is_sure(tmp_path, last, ended):
    text = "2025-01-01 10:00:00 INFO: a line like any other\n" * 30 + last
    facts = [one for one in scanned(tmp_path, text).facts if one.kind == LOG_END.name]
    assert [one.fields["ended"] for one in facts] == ([ended] if ended else [])
    assert log_end(last.encode(), 3) is None
    assert log_end(b"", 30) is None
