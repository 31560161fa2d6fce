"""From diagnoses to exact plans: one plan for a run, covering all of its sick cells."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from doctor.errors import UsageError
from doctor.model.change import Plan
from doctor.model.diagnosis import Candidate, Diagnosis
from doctor.model.rule import Remedy, Rule, Verify
from doctor.model.system import Fixer, Proposal, System
from doctor.model.tier import Tier
from doctor.schema import update_statement
from doctor.treatment.proposals import weigh
from doctor.treatment.provenance import evidence_of

COST = {Tier.ADVISE: 0, Tier.SAFE: 1, Tier.GUARDED: 3, Tier.IRREVERSIBLE: 3}
MARKER_NOTE = "the fix leaves its marker in the table doctor_applied, in the same transaction"
KEPT_MARKER_NOTE = (
    f"{MARKER_NOTE}; a table that is not there yet is created before it, and stays whatever follows"
)


@dataclass(frozen=True, slots=True)
class Prescription:
    """What could be done for one run.

    Attributes:
        diagnoses: the same diagnoses, with the candidates of their cells.
        plan: the complete plan, or None where nothing can be done or a cell is still open.
        plans: every complete plan by its hash: ``plan``, or one per candidate of the open cell.
        open_cells: ``table.column`` of the cells for which a human must choose.
    """

    diagnoses: tuple[Diagnosis, ...]
    plan: Plan | None = None
    plans: Mapping[str, Plan] = field(default_factory=dict)
    open_cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cell:
    name: str
    diagnosis: int
    rule: Rule
    remedy: Remedy
    proposals: tuple[Proposal, ...]
    chosen: Proposal | None


FixerOf = Callable[[str], Fixer | None]
Choices = Mapping[str, str]


def prescribe(
    diagnoses: Sequence[Diagnosis],
    rules: Mapping[str, Rule],
    fixer_of: FixerOf,
    system: System,
    run: str,
    choices: Choices | None = None,
    failed: Collection[str] = (),
) -> Prescription:
    """Return the plans that would cure ``diagnoses``; nothing is changed.

    ``choices`` maps ``table.column`` to the value that a human chose for its open cells.
    ``failed`` names the rungs (see ``rung``) whose repair of this run was not verified: the next
    rung takes over where the rule says so, else a human decides. Raises UsageError for a choice
    that no open cell offers.
    """
    cells = _cells(diagnoses, rules, fixer_of, system, choices or {}, failed)
    _refuse_unused(choices or {}, cells)
    still_open = [cell for cell in cells if cell.chosen is None]
    complete: dict[str, Plan] = {}
    by_candidate: dict[tuple[int, str], Plan] = {}
    plan = None
    if cells and not still_open:
        chosen = [(cell, cell.chosen) for cell in cells if cell.chosen]
        plan = _plan(system, run, chosen, diagnoses)
        complete[plan.hash] = plan
    elif len(still_open) == 1:
        for proposal in still_open[0].proposals:
            parts = [(cell, cell.chosen or proposal) for cell in cells]
            one = _plan(system, run, parts, diagnoses)
            complete[one.hash] = one
            by_candidate[still_open[0].diagnosis, proposal.to] = one
    for cell in cells:
        if cell.chosen is not None and plan is not None:
            by_candidate[cell.diagnosis, cell.chosen.to] = plan
    shown = [
        _with_candidates(n, one, cells, by_candidate, system.identity)
        for n, one in enumerate(diagnoses)
    ]
    return Prescription(tuple(shown), plan, complete, tuple(cell.name for cell in still_open))


def rung(rule: Rule, remedy: Remedy) -> str:
    """Return the name of a rung of a rule's ladder as plans bear it."""
    return f"{rule.id}@{rule.revision}/{remedy.id}"


def parse_choice(text: str) -> tuple[str, str]:
    """Return the cell and the value of ``TABLE.COLUMN=VALUE``; raises UsageError for others."""
    cell, equals, value = text.partition("=")
    if not equals or cell.count(".") != 1:
        raise UsageError(f"{text!r} is not a choice", hint="write it as TABLE.COLUMN=VALUE")
    return cell, value


def _cells(
    diagnoses: Sequence[Diagnosis],
    rules: Mapping[str, Rule],
    fixer_of: FixerOf,
    system: System,
    choices: Choices,
    failed: Collection[str],
) -> list[_Cell]:
    found: dict[str, _Cell] = {}
    for number, one in enumerate(diagnoses):
        rule = rules[one.rule]
        for remedy in rule.remedies:
            has_failed = rung(rule, remedy) in failed
            if has_failed and remedy.on_verify_fail == "undo_then_next":
                continue
            fixer = fixer_of(remedy.fixer)
            proposals = fixer.propose(one, system) if fixer and one.is_finding else ()
            proposals = weigh(fixer, proposals, one, system) if fixer else ()
            proposals = tuple(each for each in proposals if _fits(each, remedy))
            if not proposals or one.subject is None:
                continue
            name = f"{one.subject.table}.{one.subject.column}"
            where = json.dumps([name, sorted(one.subject.key.items())], default=repr)
            proposals = tuple(
                replace(_raised(each, remedy), certain=each.certain and not has_failed)
                for each in proposals
            )
            if where in found:
                known = found[where]
                proposals = _joined(known.proposals, proposals)
                found[where] = replace(
                    known, proposals=proposals, chosen=_choose(name, proposals, choices)
                )
            else:
                chosen = _choose(name, proposals, choices)
                found[where] = _Cell(name, number, rule, remedy, proposals, chosen)
            break
    return list(found.values())


def _fits(proposal: Proposal, remedy: Remedy) -> bool:
    """Tell whether a proposal changes no more than the remedy expects; a change is one row."""
    columns = remedy.expect.columns if remedy.expect else ()
    return not columns or set(proposal.change.to) <= set(columns)


def _raised(proposal: Proposal, remedy: Remedy) -> Proposal:
    return replace(proposal, tier=max(proposal.tier, remedy.tier))


def _joined(one: tuple[Proposal, ...], other: tuple[Proposal, ...]) -> tuple[Proposal, ...]:
    known = {proposal.to for proposal in one}
    return (*one, *(proposal for proposal in other if proposal.to not in known))


def _choose(name: str, proposals: Sequence[Proposal], choices: Choices) -> Proposal | None:
    if name in choices:
        for one in proposals:
            if one.to == choices[name]:
                return one
        offered = ", ".join(one.to for one in proposals)
        raise UsageError(
            f"{choices[name]!r} cannot be put into {name}", hint=f"its candidates are {offered}"
        )
    certain = [one for one in proposals if one.certain]
    return certain[0] if len(certain) == 1 else None


def _refuse_unused(choices: Choices, cells: Iterable[_Cell]) -> None:
    names = {cell.name for cell in cells}
    for name in choices:
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise UsageError(f"{name!r} is not a sick cell of this run", hint=f"they are: {known}")


def _plan(
    system: System,
    run: str,
    parts: Sequence[tuple[_Cell, Proposal]],
    diagnoses: Sequence[Diagnosis],
) -> Plan:
    tier = max(proposal.tier for _, proposal in parts)
    costs = [max(cell.rule.limits.cost or 0, COST[tier]) for cell, _ in parts]
    checks = dict.fromkeys(
        _named(check, cell.rule) for cell, _ in parts for check in cell.remedy.verify
    )
    return Plan(
        target=system.identity,
        run=run,
        rules=tuple(dict.fromkeys(rung(cell.rule, cell.remedy) for cell, _ in parts)),
        changes=tuple(proposal.change for _, proposal in parts),
        tier=tier,
        cost=max(costs),
        verify=tuple(checks),
        notes=(KEPT_MARKER_NOTE if system.identity.startswith("mysql:") else MARKER_NOTE,),
        evidence=evidence_of([(one.change, diagnoses[cell.diagnosis]) for cell, one in parts]),
    )


def _named(check: Verify, rule: Rule) -> Verify:
    return (
        replace(check, probe=rule.confirm) if check.probe == "confirm" and rule.confirm else check
    )


def _with_candidates(
    number: int,
    one: Diagnosis,
    cells: Sequence[_Cell],
    plans: Mapping[tuple[int, str], Plan],
    target: str,
) -> Diagnosis:
    cell = next((cell for cell in cells if cell.diagnosis == number), None)
    if cell is None:
        return one
    offered = cell.proposals if cell.chosen is None else (cell.chosen,)
    candidates = []
    for proposal in offered:
        plan = plans.get((number, proposal.to))
        statement = update_statement(proposal.change, target)
        candidates.append(
            Candidate(
                proposal.to,
                proposal.tier,
                proposal.reason,
                statement,
                plan.hash if plan else None,
            )
        )
    return replace(one, candidates=tuple(candidates))
