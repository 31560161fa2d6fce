"""A source tree, file by file, within bounds."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from doctor.linting.catalogue import Catalogue
from doctor.linting.known import PROBE, Known, is_test, known_tables, unread_gap
from doctor.linting.parsing import DIALECTS
from doctor.linting.python_file import FileResult, UnreadableFileError, lint_python
from doctor.linting.sources import Source, Unread, sources
from doctor.linting.sql_file import lint_sql
from doctor.model.evidence import Gap
from doctor.model.ports import Code, ReadDoor
from doctor.model.sql_finding import SqlFinding, SqlReport
from doctor.system.code.source.files import shown
from doctor.system.project import project_of

MOST_SECONDS = 10.0
_ENGINES = {"sqlite": "sqlite", "postgresql": "postgres", "mariadb": "mysql", "mysql": "mysql"}


def lint_paths(
    paths: Sequence[Path],
    *,
    code: Code | None = None,
    door: ReadDoor | None = None,
    engine: str = "",
    ignore: Collection[str] = (),
) -> SqlReport:
    """Return what is wrong with the SQL in the files at and below ``paths``.

    Nothing of them is imported or run. ``code`` are the models, else they are looked for in the
    project of the paths; ``door`` opens a database whose tables are the truth, and ``engine`` is
    what it is called, such as ``postgresql``. Findings whose code is in ``ignore`` are left out.

    Raises:
        UsageError: there is nothing at a path.
    """
    _hush_parser()
    paths = [one.absolute() for one in paths]
    files = list(sources(paths, {}))
    roots = tuple(dict.fromkeys(project_of(one) for one in paths))
    read = [one for one in files if isinstance(one, Source)]
    known = known_tables(roots, read, code, door)
    dialects = (_ENGINES[engine],) if engine in _ENGINES else DIALECTS
    findings: list[SqlFinding] = []
    gaps = list(known.gaps)
    statements = 0
    for one in files:
        if isinstance(one, Unread):
            gaps.append(unread_gap(one))
            continue
        result = _linted(one, _for_file(one, known, roots), dialects)
        findings += [each for each in result.findings if each.code not in ignore]
        statements += result.statements
        gaps += [Gap(PROBE, f"{shown(one.path)}: {reason}") for reason in result.gaps]
    count = len(known.catalogue.tables)
    return SqlReport(tuple(sorted(findings)), tuple(gaps), len(files), statements, count)


def _hush_parser() -> None:
    """Keep what the parser says about statements that it does not know from standard error."""
    logger = logging.getLogger("sqlglot")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _linted(source: Source, known: Catalogue, dialects: Sequence[str]) -> FileResult:
    total = FileResult()
    if not source.may_hold_sql and not source.names_one(known.classes):
        return total
    end = time.monotonic() + MOST_SECONDS
    try:
        for one in _of_file(source, known, dialects):
            total.findings += one.findings
            total.statements += one.statements
            if time.monotonic() > end:
                total.gaps.append(f"only its first {total.statements} statements were read in time")
                break
    except UnreadableFileError as error:
        total.gaps.append(str(error))
    except (RecursionError, MemoryError):
        total.gaps.append("it is nested too deeply")
    return total


def _of_file(source: Source, known: Catalogue, dialects: Sequence[str]) -> Iterator[FileResult]:
    lint = lint_sql if source.path.suffix == ".sql" else lint_python
    yield from lint(shown(source.path), source.content, known, dialects)


def _for_file(source: Source, known: Known, roots: Sequence[Path]) -> Catalogue:
    """Return what holds for a file: it may create tables of its own, or be of another day."""
    if source.is_migration:
        return Catalogue({})
    classes = known.catalogue.classes
    own = source.created()
    if is_test(source.path, roots):
        own |= known.tested
        classes = {}
    tables = {name: one for name, one in known.catalogue.tables.items() if name not in own}
    elsewhere = known.catalogue.elsewhere | own
    return replace(known.catalogue, tables=tables, elsewhere=elsewhere, classes=classes)
