"""What is known of the tables that a source tree is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from doctor.errors import DoctorError
from doctor.linting.catalogue import Catalogue, catalogue
from doctor.linting.classes import known_classes
from doctor.linting.sources import Source, Unread, sources
from doctor.model.evidence import Gap
from doctor.model.insertion import Intake
from doctor.model.ports import Code, ReadDoor
from doctor.model.schema import CodeModels, LiveTable
from doctor.system.code.reader import read_model_files

PROBE = "lint-sql"
_TEST = re.compile(r"(?:^|[/_])(?:tests?|conftest)(?:[/_.]|$)")
_NO_MODELS = "no models were found: only values formatted into SQL were looked for"


@dataclass(frozen=True, slots=True)
class Known:
    """The catalogue, and what of it stayed unread.

    ``tested`` are the folded names of tables that tests make for themselves.
    """

    catalogue: Catalogue
    gaps: tuple[Gap, ...]
    tested: frozenset[str] = frozenset()


def known_tables(
    roots: Sequence[Path], read: Sequence[Source], code: Code | None, door: ReadDoor | None
) -> Known:
    """Return the tables of the models, which are looked for in the projects ``roots``.

    ``read`` are files that were read already; ``code`` are the models where they are named;
    ``door`` opens the database where that is to be asked. What cannot be read is a gap.
    """
    gaps: list[Gap] = []
    known = {one.path: one for one in read}
    found = [one for one in sources(roots, known) if isinstance(one, Source)]
    models = _models(roots, found, code, gaps)
    live = None
    if door is not None:
        try:
            live = [(one, _intake(door, one, gaps)) for one in door.tables()]
        except DoctorError as error:
            gaps.append(Gap(PROBE, f"the database: {error.message}"))
    if not models.tables and live is None and not gaps:
        gaps.append(Gap(PROBE, _NO_MODELS))
    if live is None:
        made = {name for one in found for name in one.named()}
    else:  # what models and migrations name should be there already
        made = {name for one in found if not one.is_migration for name in one.created()}
    tests = [one for one in found if is_test(one.path, roots)]
    tested = frozenset(name for one in tests for name in one.named())
    known_here = catalogue(models, live, made)
    classes = known_classes(models, known_here.tables)
    return Known(replace(known_here, classes=classes), tuple(gaps), tested)


def _intake(door: ReadDoor, table: LiveTable, gaps: list[Gap]) -> Intake | None:
    try:
        return door.intake(table)
    except DoctorError as error:
        gaps.append(Gap(PROBE, f"the defaults of {table.name}: {error.message}"))
        return None


def _models(
    roots: Sequence[Path], found: Sequence[Source], code: Code | None, gaps: list[Gap]
) -> CodeModels:
    if code is not None:
        try:
            return code.models()
        except DoctorError as error:
            gaps.append(Gap(PROBE, f"the models: {error.message}"))
            return CodeModels()
    declaring = [one.path for one in found if one.may_declare_tables]
    own = [one for one in declaring if not is_test(one, roots)] or declaring
    return read_model_files(own) if own else CodeModels()


def is_test(path: Path, roots: Sequence[Path]) -> bool:
    """Tell whether a file below one of ``roots`` is one of its tests."""
    for root in roots:
        if path.is_relative_to(root):
            return _TEST.search(str(path.relative_to(root))) is not None
    return False


def unread_gap(one: Unread) -> Gap:
    """Return the gap for a file that was not looked at."""
    return Gap(PROBE, f"{one.path}: {one.reason}")
