"""All checks of one text: parsed once, then held against what is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doctor.linting.catalogue import Catalogue
from doctor.linting.formatted import check_formatted
from doctor.linting.given import Given
from doctor.linting.names_used import check_names
from doctor.linting.parsing import parsed
from doctor.linting.sight import Case, Sight
from doctor.linting.slots import Statement
from doctor.linting.text import Hole
from doctor.linting.writes import check_writes


def check(
    statement: Statement, given: Given, catalogue: Catalogue, dialects: Sequence[str]
) -> tuple[Sight, ...] | None:
    """Return what is wrong with a text, None where it was not understood.

    What needs no look, since no table is known and nothing is formatted into it, is not read.
    """
    if not catalogue.tables and not any(isinstance(one, Hole) for one in statement.slots):
        return ()
    trees = parsed(statement.sql, dialects)
    if trees is None:
        return None
    case = Case(statement, trees, given, catalogue)
    return tuple(one for tree in trees for one in _of_tree(case, tree))


def _of_tree(case: Case, tree: object) -> Iterator[Sight]:
    from sqlglot import exp

    if not isinstance(tree, exp.Expression):
        return
    if case.catalogue.tables:
        yield from check_writes(case, tree)
        yield from check_names(case, tree)
    yield from check_formatted(case, tree)
