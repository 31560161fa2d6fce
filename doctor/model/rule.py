"""A rule as data: what it looks for, what it concludes, what may be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from doctor.model.description import SystemDescription
from doctor.model.evidence import Fact, FieldType, Gap, Scalar
from doctor.model.tier import Tier

Level = Literal["info", "low", "medium", "high", "critical"]
Status = Literal["experimental", "test", "stable", "deprecated"]
Retryable = bool | Literal["unknown"]
Operator = Literal["eq", "gte", "lt", "in", "exists"]

LEVELS: tuple[Level, ...] = ("info", "low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class FieldTest:
    """``field|operator: value``. ``eq`` and ``in`` compare exactly and case-sensitively.

    ``in`` takes a tuple; ``exists`` takes a bool: whether the fact has the field at all.
    A fact without the field fails every other test.
    """

    field: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Select:
    """A named selection: the facts of ``kind`` that pass every test."""

    name: str
    kind: str
    tests: tuple[FieldTest, ...] = ()


@dataclass(frozen=True, slots=True)
class CountOf:
    """A named selection that counts another one.

    It holds for a group when at least ``gte`` facts of the selection ``of`` that agree in
    ``group_by`` happened within ``within`` of event time. Its facts are those of the groups for
    which it holds.
    """

    name: str
    of: str
    group_by: tuple[str, ...]
    within: timedelta
    gte: int


Selection = Select | CountOf


@dataclass(frozen=True, slots=True)
class Name:
    """The condition that the selection ``selection`` has a fact."""

    selection: str


@dataclass(frozen=True, slots=True)
class Not:
    """The condition that ``operand`` does not hold."""

    operand: Condition


@dataclass(frozen=True, slots=True)
class And:
    """The condition that all of ``operands`` hold for the same join key."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """The condition that at least one of ``operands`` holds."""

    operands: tuple[Condition, ...]


Condition = Name | Not | And | Or


@dataclass(frozen=True, slots=True)
class Verify:
    """One check after a repair.

    ``probe`` names the probe to re-run (``confirm`` means the rule's own confirm probe);
    ``expect_status`` is an HTTP status, None means: the subject must no longer be found.
    """

    probe: str
    expect_status: int | None = None


OnVerifyFail = Literal["undo_then_ask", "undo_then_next"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a rung may change at most: so many rows of one diagnosis, and only these columns.

    Without ``columns`` any column may be set.
    """

    rows: int = 1
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remedy:
    """One rung of a rule's ladder; still data. ``fixer`` names a registered fixer.

    Attributes:
        verify: the checks after it.
        expect: what it may change at most; None: whatever its fixer proposes.
        on_verify_fail: what follows the undo of a repair that was not verified.
        timeout: how long repair and checks may take before they count as failed; None: no limit.
    """

    id: str
    fixer: str
    tier: Tier
    verify: tuple[Verify, ...] = ()
    expect: Expected | None = None
    on_verify_fail: OnVerifyFail = "undo_then_ask"
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class OnceWithin:
    """At most one repair of the rule in ``period`` for what agrees in ``group_by``."""

    period: timedelta
    group_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """At most ``rows`` rows changed by repairs of the rule within ``window``."""

    rows: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule tightens beyond the policy. ``cost`` is in budget points, None = by tier."""

    cost: int | None = None
    once_within: OnceWithin | None = None
    blast_radius: BlastRadius | None = None


@dataclass(frozen=True, slots=True)
class ExceptionList:
    """Facts of one selection that the rule leaves alone.

    The author of the rule fixes ``selection`` and ``fields``; teams append rows to ``values``. A
    fact whose fields equal a whole row is not in the selection.
    """

    name: str
    selection: str
    fields: tuple[str, ...]
    values: tuple[tuple[Scalar, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The text behind ``doctor explain CODE``; ``references`` are addresses to read on."""

    what: str
    why: str
    fix_safety: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleTest:
    """An example inside a rule: given facts and gaps, the verdict that is expected.

    ``remedy`` is the rung that should be tried first after a match; None: not looked at.
    """

    name: str
    facts: tuple[Fact, ...]
    gaps: tuple[Gap, ...]
    verdict: Literal["match", "no_match", "unknown"]
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``id`` is stable and named for the bad thing, ``code`` is never reused.

    Attributes:
        needs: fact kinds without which the verdict is unknown, not no_match.
        selections: by name, in the order of the file.
        join: fields that must be equal across the selections of the condition.
        explains: ids of rules whose diagnoses become consequences when they share the join.
        confirm: the probe that must agree, freshly, before any write; None: never writes.
        subject: the selection whose facts the diagnosis is about: one diagnosis per fact.
        message, hint: templates; ``${name}`` and ``${name!r}`` take typed values, once.
        origin: ``file:line`` that the rule was read from.
        exceptions: facts that the rule leaves alone.
        set_by: ``file:line`` of the override that set a key, by its dotted path.
    """

    id: str
    code: str
    revision: int
    title: str
    status: Status
    level: Level
    owner: str
    retryable: Retryable
    needs: tuple[str, ...]
    selections: Mapping[str, Selection]
    condition: Condition
    join: tuple[str, ...]
    explains: tuple[str, ...]
    confirm: str | None
    cause: str
    subject: str | None
    message: str
    hint: str
    remedies: tuple[Remedy, ...]
    limits: Limits
    explanation: Explanation
    tests: tuple[RuleTest, ...]
    origin: str
    exceptions: tuple[ExceptionList, ...] = ()
    set_by: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Override:
    """What a team changes about somebody else's rule, for a reason and until a day.

    Attributes:
        rule: id of the rule.
        expects_revision: the revision that the team has read; for another one it does not count.
        expires: the last day on which it counts.
        append, replace: typed values by the dotted path of the key.
        origin: ``file:line``; ``places`` has ``file:line:column`` of each path.
    """

    rule: str
    expects_revision: int
    owner: str
    reason: str
    expires: date
    append: Mapping[str, tuple[tuple[Scalar, ...], ...]]
    replace: Mapping[str, object]
    origin: str
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a matching line is a sign of, for people who read only the log.

    ``name`` is the class; ``noise`` tells that it never is the cause of a failure; ``wait`` is
    how many seconds to wait before a retry, where retrying helps at all and that is known.
    """

    name: str
    noise: bool = False
    retryable: Retryable = "unknown"
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """How a log line becomes a fact: a linear-time pattern and the types of its named groups."""

    kind: str
    pattern: str
    fields: Mapping[str, FieldType | Literal["url_path"]]
    tests: tuple[str, ...]
    silent: tuple[str, ...]
    origin: str
    symptom: Symptom | None = None


@dataclass(frozen=True, slots=True)
class ValueMapping:
    """What the owner of a column says a bad value means: this makes a repair SAFE."""

    table: str
    column: str
    values: Mapping[str, str]
    owner: str
    reason: str
    origin: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that was read from all packs and paths, in a stable order."""

    rules: tuple[Rule, ...] = ()
    signatures: tuple[Signature, ...] = ()
    mappings: tuple[ValueMapping, ...] = ()
    overrides: tuple[Override, ...] = ()
    systems: tuple[SystemDescription, ...] = ()

    def rule(self, rule_id: str) -> Rule | None:
        """Return the rule with this id or code, or None."""
        return next((one for one in self.rules if rule_id in (one.id, one.code)), None)
