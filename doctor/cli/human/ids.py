"""What is known about ids, as text."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.cli.human.layout import bold, columns, dim, printable
from doctor.ids import IdCheck
from doctor.model.ids import ColumnIds, IdConventions, Relation

_MOST_FAMILIES = 20


def conventions(found: IdConventions) -> str:
    """Return each column of ids, its families, and how they follow from their parents'."""
    lines: list[str] = []
    for one in found.columns:
        lines += [*_column(one), ""]
    lines += [dim(printable(f"not known: {one.reason}")) for one in found.gaps]
    return "\n".join(lines).rstrip()


def check(found: IdCheck) -> str:
    """Return what is unusual about an id."""
    lines = [f"{bold(printable(found.id))} as {found.column}"]
    if found.note:
        lines.append(f"  nothing to say: {printable(found.note)}")
    elif found.family is not None:
        lines.append(f"  of the family {printable(found.family.template)}")
    lines += [f"  warning: {printable(one)}" for one in found.warnings]
    if found.warnings and found.nearest:
        lines.append(f"  usual would be: {printable(', '.join(found.nearest))}")
    return "\n".join(lines)


def _column(one: ColumnIds) -> Iterator[str]:
    convention = one.convention
    sampled = f"all {one.rows:,} rows" if one.rows >= one.of else (
        f"{one.rows:,} of {one.of:,} rows, chosen by chance"
    )  # fmt: skip
    yield f"{bold(one.column)}: {_verdict(one)}"
    yield f"  looked at {sampled}; {convention.ids:,} different ids"
    if one.kind == "number":
        yield f"  next: {convention.families[0].following}"
        return
    if convention.reason:
        yield f"  {printable(convention.reason)}"
    elif not convention.is_pinned:
        yield (
            f"  {convention.accepted} of {convention.ids} are as the others say, each judged"
            f" without itself (at least {convention.at_least:.0%} with 95 % confidence)"
        )
    rows = [
        (f"{each.support or '':>4}", each.template, f"next: {each.following}")
        for each in convention.families[:_MOST_FAMILIES]
    ]
    yield from columns(rows, indent=2)
    if len(convention.families) > _MOST_FAMILIES:
        yield f"  and {len(convention.families) - _MOST_FAMILIES} smaller families"
    if convention.strangers:
        yield f"  unlike the others: {printable(', '.join(convention.strangers))}"
    for relation in one.relations:
        yield from _relation(one, relation)


def _verdict(one: ColumnIds) -> str:
    if one.kind == "number":
        return "numbers that the database gives" if one.numbered else "whole numbers"
    if not one.convention.families:
        return "no convention"
    many = len(one.convention.families)
    return f"{many} families" if many > 1 else "1 family"


def _relation(one: ColumnIds, relation: Relation) -> Iterator[str]:
    counts = ", ".join(f"{kind} {count}" for kind, count in relation.counts.items())
    sure = f", at least {relation.at_least:.0%}" if relation.kind != "none" else ""
    yield (
        f"  to {one.parent}, {relation.among}: {relation.kind}{sure}"
        f" (of {relation.pairs}: {counts}; the first token by chance {relation.by_chance:.0%})"
    )
    for parent, child in relation.counterexamples:
        yield f"    not so: {printable(parent)} > {printable(child)}"
