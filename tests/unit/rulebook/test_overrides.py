"""Overrides: what a team may change about somebody else's rule, and what ends them."""

from datetime import date, timedelta

import pytest

from doctor.errors import RuleError
from doctor.model.evidence import FactField, FactKind
from doctor.model.rule import BlastRadius, ExceptionList, Limits, OnceWithin, Override
from doctor.rulebook import RuleSource, load_rulebook
from doctor.rulebook.overrides import apply_overrides

TODAY = date(2026, 6, 1)
CATALOGUE = {"db.bad": FactKind("db.bad", "t", (FactField("value"), FactField("version", "float")))}
RULE = """\
format: doctor/1
rule: db.bad-value
code: AB001
revision: 3
title: t
status: stable
level: high
owner: o
retryable: false
match:
  bad: {kind: db.bad}
  many: {count_of: bad, group_by: [value], within: 10m, gte: 2}
  condition: bad or many
exceptions:
  known_future_value: {selection: bad, fields: [value, version]}
diagnosis: {cause: c, message: m, hint: h}
limits:
  once_within: {period: 30m, group_by: [run]}
  blast_radius: {rows: 5, window: 1h}
explanation: {what: w, why: y}
"""
OVERRIDE = """\
format: doctor/1
override: db.bad-value
expects_revision: 3
owner: team-billing
reason: BILL-412
expires: 2027-01-31
append: {exceptions.known_future_value.values: [[PAUSED, 2.4], [HELD, 3.0]]}
replace: {limits.once_within.period: 2h}
"""


def load(*overrides):
    files = (("r.yaml", RULE), *((f"o{n}.yaml", text) for n, text in enumerate(overrides)))
    return load_rulebook([RuleSource("test", files)]).rulebook


def applied(*overrides, today=TODAY):
    book = load(*overrides)
    return apply_overrides(book.rules, book.overrides, CATALOGUE, today)


def told(problems):
    return [(one.severity, one.location, one.message, one.hint) for one in problems]


def refused(text):
    with pytest.raises(RuleError) as caught:
        load(text)
    return [(one.location, one.message, one.hint) for one in caught.value.problems]


def test_an_override_is_one_value():
    assert load(OVERRIDE).overrides == (
        Override(
            rule="db.bad-value",
            expects_revision=3,
            owner="team-billing",
            reason="BILL-412",
            expires=date(2027, 1, 31),
            append={"exceptions.known_future_value.values": (("PAUSED", 2.4), ("HELD", 3.0))},
            replace={"limits.once_within.period": timedelta(hours=2)},
            origin="o0.yaml:2",
            places={
                "exceptions.known_future_value.values": "o0.yaml:7:10",
                "limits.once_within.period": "o0.yaml:8:11",
            },
        ),
    )


def test_it_is_laid_over_the_rule_which_then_says_where_each_key_was_set():
    (rule,), problems = applied(OVERRIDE)
    assert problems == ()
    assert rule.exceptions == (
        ExceptionList(
            "known_future_value", "bad", ("value", "version"), (("PAUSED", 2.4), ("HELD", 3.0))
        ),
    )
    assert rule.limits.once_within == OnceWithin(timedelta(hours=2), ("run",))
    assert rule.set_by == {
        "exceptions.known_future_value.values": "o0.yaml:7:10",
        "limits.once_within.period": "o0.yaml:8:11",
    }


def test_every_path_that_may_be_replaced_is_replaced():
    text = OVERRIDE.partition("append")[0] + (
        "replace:\n"
        "  level: low\n"
        "  status: experimental\n"
        "  retryable: unknown\n"
        "  diagnosis.hint: ask ${value}\n"
        "  limits.cost: 4\n"
        "  limits.blast_radius.rows: 2\n"
        "  limits.blast_radius.window: 2h\n"
        "  match.many.gte: 5\n"
        "  match.many.within: 1h\n"
    )
    (rule,), problems = applied(text)
    assert problems == ()
    assert (rule.level, rule.status, rule.retryable) == ("low", "experimental", "unknown")
    assert rule.hint == "ask ${value}"
    assert rule.limits == Limits(
        4, OnceWithin(timedelta(minutes=30), ("run",)), BlastRadius(2, timedelta(hours=2))
    )
    assert (rule.selections["many"].gte, rule.selections["many"].within) == (5, timedelta(hours=1))


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        (
            "expires: 2027-01-31",
            "expires: 2026-05-31",
            "override 'db.bad-value' of 'team-billing' (BILL-412) expired on 2026-05-31",
            "renew 'expires', or remove the override",
        ),
        (
            "revision: 3",
            "revision: 2",
            (
                "override 'db.bad-value' of 'team-billing' (BILL-412) "
                "expects revision 2, the rule has 3"
            ),
            "read the rule again: doctor rules show db.bad-value",
        ),
        (
            "override: db.bad-value",
            "override: db.bad-valu",
            "override 'db.bad-valu' of 'team-billing' (BILL-412) names no rule",
            "did you mean 'db.bad-value'?",
        ),
    ],
)
def test_one_that_does_not_fit_any_more_is_a_warning_and_the_rule_stays_as_it_was(
    old, new, message, hint
):
    rules, problems = applied(OVERRIDE.replace(old, new))
    assert rules == load().rules
    assert told(problems) == [("warning", "o0.yaml:2", message, hint)]


def test_the_last_day_counts():
    assert applied(OVERRIDE, today=date(2027, 1, 31))[1] == ()
    assert len(applied(OVERRIDE, today=date(2027, 2, 1))[1]) == 1


@pytest.mark.parametrize(
    ("old", "new", "place", "message", "hint"),
    [
        (
            "known_future_value.values",
            "known_past_value.values",
            "7:10",
            "'db.bad-value' has no such exception",
            "did you mean 'exceptions.known_future_value.values'?",
        ),
        (
            "[PAUSED, 2.4]",
            "[PAUSED]",
            "7:10",
            "a row of 1 values for the fields value, version",
            None,
        ),
        (
            "[PAUSED, 2.4]",
            "[PAUSED, '2.4']",
            "7:10",
            "field 'version' is a float, it never equals '2.4'",
            None,
        ),
        (
            "limits.once_within.period: 2h",
            "match.bad.gte: 2",
            "8:11",
            "'db.bad-value' has no count called 'bad'",
            None,
        ),
    ],
)
def test_one_that_cannot_be_laid_over_is_a_mistake(old, new, place, message, hint):
    rules, problems = applied(OVERRIDE.replace(old, new))
    assert rules == load().rules
    assert told(problems) == [("error", f"o0.yaml:{place}", message, hint)]


def test_a_limit_that_the_rule_does_not_have_cannot_be_replaced():
    text = RULE.replace("  blast_radius: {rows: 5, window: 1h}\n", "")
    files = (
        ("r.yaml", text),
        ("o.yaml", OVERRIDE.replace("once_within.period: 2h", "blast_radius.rows: 2")),
    )
    book = load_rulebook([RuleSource("test", files)]).rulebook
    _, problems = apply_overrides(book.rules, book.overrides, CATALOGUE, TODAY)
    assert [one.message for one in problems] == ["'db.bad-value' has no limit 'blast_radius'"]


def test_two_overrides_never_set_one_key():
    (rule,), problems = applied(OVERRIDE, OVERRIDE.replace("2h", "3h"))
    assert rule.limits.once_within == OnceWithin(timedelta(hours=2), ("run",))
    assert told(problems) == [
        (
            "error",
            "o1.yaml:8:11",
            "'limits.once_within.period' is already set at o0.yaml:8:11",
            None,
        )
    ]


def test_two_overrides_may_append_to_one_exception():
    more = OVERRIDE.partition("replace")[0]
    (rule,), problems = applied(OVERRIDE, more)
    assert problems == ()
    assert len(rule.exceptions[0].values) == 4


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "override: db.bad-value",
            "override: 1",
            ("2:11", "override must be text, not 1", "put it in quotes"),
        ),
        ("expects_revision: 3\n", "", ("1:1", "override needs the key 'expects_revision'", None)),
        ("owner: team-billing\n", "", ("1:1", "override needs the key 'owner'", None)),
        ("reason: BILL-412\n", "", ("1:1", "override needs the key 'reason'", None)),
        ("expires: 2027-01-31\n", "", ("1:1", "override needs the key 'expires'", None)),
        (
            "2027-01-31",
            "2027-02-30",
            ("6:10", "expires '2027-02-30' is no date", "write it as 2027-01-31"),
        ),
        ("2027-01-31", "soon", ("6:10", "expires 'soon' is no date", "write it as 2027-01-31")),
        (
            "exceptions.known_future_value.values",
            "needs",
            ("7:10", "'needs' cannot be appended to", "only 'exceptions.NAME.values' can"),
        ),
        (
            "limits.once_within.period: 2h",
            "limits.once_within.perod: 2h",
            (
                "8:11",
                "'limits.once_within.perod' cannot be replaced by an override",
                "did you mean 'limits.once_within.period'?",
            ),
        ),
        (
            "limits.once_within.period: 2h",
            "confirm: {probe: x}",
            (
                "8:11",
                "'confirm' cannot be replaced by an override",
                (
                    "one of: level, status, retryable, diagnosis.hint, limits.cost, "
                    "limits.once_within.period, limits.blast_radius.rows, limits.blast_radius.window"  # noqa: E501
                ),
            ),
        ),
        (
            "limits.once_within.period: 2h",
            "limits.once_within.period: 2x",
            (
                "8:38",
                "limits.once_within.period must be a duration, not '2x'",
                "for example 500ms, 30s, 10m, 2h or 7d",
            ),
        ),
        (
            "limits.once_within.period: 2h",
            "level: hgh",
            ("8:18", "'hgh' is no valid level", "did you mean 'high'?"),
        ),
        (
            (
                "append: {exceptions.known_future_value.values: [[PAUSED, 2.4], [HELD, 3.0]]}\n"
                "replace: {limits.once_within.period: 2h}\n"
            ),
            "",
            (
                "1:1",
                "the override changes nothing",
                (
                    "replace one of: level, status, retryable, diagnosis.hint, limits.cost, "
                    "limits.once_within.period, limits.blast_radius.rows, limits.blast_radius.window, "  # noqa: E501
                    "match.NAME.gte, match.NAME.within"
                ),
            ),
        ),
    ],
)
def test_a_wrong_override_is_named_with_its_place(old, new, expected):
    assert old in OVERRIDE
    place, message, hint = expected
    assert (f"o0.yaml:{place}", message, hint) in refused(OVERRIDE.replace(old, new, 1))
