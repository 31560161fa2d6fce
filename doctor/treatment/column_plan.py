"""From what rules say about one row of each bad value to the plan for all rows that hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from doctor.errors import UsageError
from doctor.model.change import Key, Plan, Seen, SetColumn, pins_of
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Gap, Scalar
from doctor.model.repair import BadValue, ColumnExamination
from doctor.model.rule import Rule
from doctor.model.tier import Tier
from doctor.redaction import redact
from doctor.store.serial import is_clean, keys_to_json
from doctor.treatment.planning import COST, Prescription

MANY_ROWS = 1_000
"""More are GUARDED, unless the rule behind the plan says how many may change at once."""
MOST_ROWS = 1_000_000
BATCHES_NOTE = "each batch leaves its marker in the table doctor_applied, in the same transaction"

Prescribe = Callable[[Diagnosis, Mapping[str, str]], Prescription]
KeysOf = Callable[[Scalar, int], Sequence[Key]]


def parse_replacement(text: str) -> tuple[str, str]:
    """Return the bad value and the good one of ``OLD=NEW``; raises UsageError for others."""
    old, equals, new = text.rpartition("=")
    if not equals:
        raise UsageError(f"{text!r} is not a choice", hint="write it as OLD=NEW")
    return old, new


def plan_column(
    name: str,
    found: Sequence[tuple[Diagnosis, str, int]],
    prescribe: Prescribe,
    keys_of: KeysOf,
    rules: Mapping[str, Rule],
    choices: Mapping[str, str],
) -> ColumnExamination:
    """Return what would cure a column: ``found`` has a diagnosis, a run and a number per value.

    Raises UsageError for a choice that no bad value offers.
    """
    unknown = [one for one in choices if one not in {_old(each) for each, _, _ in found}]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no bad value of {name} now")
    values: list[BadValue] = []
    parts: list[Plan] = []
    rows: list[tuple[Key, ...]] = []
    gaps: list[Gap] = []
    for diagnosis, run, count in found:
        chosen = {name: choices[_old(diagnosis)]} if _old(diagnosis) in choices else {}
        prescription = prescribe(diagnosis, chosen)
        shown, plan = prescription.diagnoses[0], prescription.plan
        change = None
        if plan is not None and diagnosis.subject is not None:
            keys = tuple(keys_of(diagnosis.subject.value, MOST_ROWS + 1))
            if len(keys) > MOST_ROWS:
                gaps.append(Gap(name, f"only the first {MOST_ROWS} rows are pinned: repair again"))
            keys = keys[:MOST_ROWS]
            change = _change(plan, keys)
            _refuse_secrets(name, change, keys)
        if change is not None and plan is not None:
            parts.append(plan)
            rows.append(keys)
        value = diagnosis.subject.value if diagnosis.subject else None
        values.append(BadValue(value, count, run, shown, change))
    examination = ColumnExamination(name, tuple(values), tuple(gaps), rows=tuple(rows))
    if not parts:
        return examination
    return replace(examination, plan=_joined(examination, parts, rules))


def _old(diagnosis: Diagnosis) -> str:
    return str(diagnosis.subject.value) if diagnosis.subject else ""


def _change(plan: Plan, keys: tuple[Key, ...]) -> SetColumn | None:
    """Return the change of one row as that of all rows; None where it sets more than one cell."""
    [sample] = plan.changes
    if len(sample.to) != 1 or not keys:
        return None
    [(column, to)] = sample.to.items()
    key, old = tuple(sample.key), sample.expected[column]
    return SetColumn(sample.table, key, column, old, to, len(keys), pins_of(keys))


def _refuse_secrets(name: str, change: SetColumn | None, keys: Sequence[Key]) -> None:
    """Raise UsageError where rows could be pinned only by keeping secrets in the store."""
    if change is None:
        return
    cells = {change.column: change.expected, **dict(zip(change.key, keys[0], strict=True))}
    text = keys_to_json(keys)
    if not is_clean(cells) or redact(text) != text:
        raise UsageError(
            f"rows of {name} are named by what looks like secrets, and those are never kept",
            hint="repair them run by run: doctor heal RUN_ID",
        )


def _joined(
    examination: ColumnExamination, parts: Sequence[Plan], rules: Mapping[str, Rule]
) -> Plan:
    changes = tuple(one.change for one in examination.values if one.change is not None)
    names = tuple(dict.fromkeys(name for one in parts for name in one.rules))
    count = sum(one.rows for one in changes)
    tier = max(one.tier for one in parts)
    if count > _limit(names, rules):
        tier = max(tier, Tier.GUARDED)
    return Plan(
        target=parts[0].target,
        run=examination.run,
        rules=names,
        changes=(),
        tier=tier,
        cost=max(COST[tier], *(one.cost for one in parts)),
        verify=tuple(dict.fromkeys(check for one in parts for check in one.verify)),
        notes=(BATCHES_NOTE,),
        evidence=tuple(
            Seen(seen.kind, seen.source, number, count=change.rows)
            for number, (one, change) in enumerate(zip(parts, changes, strict=True))
            for seen in one.evidence
            if seen.change is not None
        ),
        bulk=changes,
    )


def _limit(names: Sequence[str], rules: Mapping[str, Rule]) -> int:
    known = [rules.get(name.rpartition("@")[0]) for name in names]
    limits = [one.limits.blast_radius for one in known if one is not None]
    return min((one.rows for one in limits if one is not None), default=MANY_ROWS)
