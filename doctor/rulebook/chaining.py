"""Which rule feeds which: through diagnoses that another rule selects. Cycles are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from doctor.model.rule import FieldTest, Rule, Select

DIAGNOSIS = "diagnosis"


def chaining_cycle(rules: Iterable[Rule]) -> tuple[str, ...] | None:
    """Return ids of rules of which each one's diagnosis may feed the next, and the last the first.

    None where there is no such cycle. A selection of diagnoses that is not narrowed by cause, rule,
    code or level is fed by every rule, its own included.
    """
    known = tuple(rules)
    feeds: dict[str, list[str]] = {rule.id: [] for rule in known}
    for rule in known:
        for selection in rule.selections.values():
            if isinstance(selection, Select) and selection.kind == DIAGNOSIS:
                for source in known:
                    if _may_select(selection, source):
                        feeds[source.id].append(rule.id)
    return find_cycle(feeds)


def find_cycle(edges: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    """Return the nodes of one cycle in order, or None; targets that are no keys are ignored."""
    done: set[str] = set()
    for root in edges:
        path: dict[str, None] = {root: None}
        pending = [iter(() if root in done else edges[root])]
        while pending:
            target = next(pending[-1], None)
            if target is None:
                pending.pop()
                done.add(path.popitem()[0])
            elif target in path:
                names = list(path)
                return tuple(names[names.index(target) :])
            elif target in edges and target not in done:
                path[target] = None
                pending.append(iter(edges[target]))
    return None


def _may_select(selection: Select, source: Rule) -> bool:
    told = {"rule": source.id, "cause": source.cause, "code": source.code, "level": source.level}
    return all(_may_pass(test, told) for test in selection.tests)


def _may_pass(test: FieldTest, told: Mapping[str, str]) -> bool:
    if test.field not in told:
        return True
    if test.operator == "eq":
        return told[test.field] == test.value
    if test.operator == "in" and isinstance(test.value, tuple):
        return told[test.field] in test.value
    return True
