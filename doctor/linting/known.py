"""What is known of the tables that a source tree is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from doctor.errors import DoctorError
from doctor.linting.catalogue import Catalogue, catalogue
from doctor.linting.sources import Source, Unread, sources
from doctor.model.evidence import Gap
from doctor.model.ports import Code, ReadDoor
from doctor.model.schema import CodeModels
from doctor.system.code.reader import read_model_files
from doctor.system.project import project_of

PROBE = "lint-sql"
_TEST = re.compile(r"(?:^|[/_])(?:tests?|conftest)(?:[/_.]|$)")
_NO_MODELS = "no models were found: only values formatted into SQL were looked for"


@dataclass(frozen=True, slots=True)
class Known:
    """The catalogue, and what of it stayed unread."""

    catalogue: Catalogue
    gaps: tuple[Gap, ...]


def known_tables(
    paths: Sequence[Path], read: Sequence[Source], code: Code | None, door: ReadDoor | None
) -> Known:
    """Return the tables of the models, which are looked for in the projects of ``paths``.

    ``read`` are the files of these paths; ``code`` are the models where they are named; ``door``
    opens the database where that is to be asked. What cannot be read of either is a gap.
    """
    gaps: list[Gap] = []
    roots = tuple(dict.fromkeys(project_of(one) for one in paths))
    known = {one.path: one for one in read}
    found = [one for one in sources(roots, known) if isinstance(one, Source)]
    models = _models(roots, found, code, gaps)
    live = None
    if door is not None:
        try:
            live = door.tables()
        except DoctorError as error:
            gaps.append(Gap(PROBE, f"the database: {error.message}"))
    if not models.tables and live is None and not gaps:
        gaps.append(Gap(PROBE, _NO_MODELS))
    if live is None:
        made = {name for one in found for name in one.named()}
    else:  # what models and migrations name should be there already
        made = {name for one in found if not one.is_migration for name in one.created()}
    return Known(catalogue(models, live, made), tuple(gaps))


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
    own = [one for one in declaring if not _is_test(one, roots)] or declaring
    return read_model_files(own) if own else CodeModels()


def _is_test(path: Path, roots: Sequence[Path]) -> bool:
    for root in roots:
        if path.is_relative_to(root):
            return _TEST.search(str(path.relative_to(root))) is not None
    return False


def unread_gap(one: Unread) -> Gap:
    """Return the gap for a file that was not looked at."""
    return Gap(PROBE, f"{one.path}: {one.reason}")
