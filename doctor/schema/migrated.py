"""What no table tells: which migrations ran, and whether SQLite enforces references."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from doctor.model.drift import Difference
from doctor.model.ports import ReadDoor
from doctor.model.schema import CodeModels
from doctor.system.code.revisions import Revisions, read_revisions, turns_foreign_keys_on

_VERSIONS = "alembic_version"
_MOST = 20
_FEW = 3


def migration_drift(door: ReadDoor, project: Path) -> Iterator[Difference]:
    """Yield what the database notes of its migrations beside those of the project.

    Raises ValueError where a migration cannot be read.
    """
    found = read_revisions(project)
    if found is None:
        return
    if len(found.heads) > 1:
        heads = ", ".join(found.heads)
        yield Difference(
            "several_heads", "", code=heads, database="", statement="", line="alembic merge heads"
        )
    noted = _noted(door)
    for one in noted:
        if one not in found.known:
            yield _difference("revision_unknown", one, found)
    if set(noted) <= found.known and set(noted) != set(found.heads):
        yield _difference("revision_behind", ", ".join(noted) or "none", found)


def _difference(drift: str, noted: str, found: Revisions) -> Difference:
    is_behind = drift == "revision_behind"
    return Difference(
        "revision_behind" if is_behind else "revision_unknown",
        _VERSIONS,
        name=noted,
        code=", ".join(found.heads),
        database=noted,
        statement="alembic upgrade head" if is_behind else "alembic stamp REVISION",
        line="" if is_behind else f"add the migration {noted!r}",
    )


def _noted(door: ReadDoor) -> tuple[str, ...]:
    table = next((one for one in door.tables() if one.name == _VERSIONS), None)
    if table is None or table.column("version_num") is None:
        return ()
    rows = door.rows(table, {}, limit=_MOST)
    return tuple(sorted(str(one["version_num"]) for one in rows))


def unenforced(code: CodeModels, project: Path) -> Iterator[Difference]:
    """Yield that nothing makes SQLite enforce the references of the models."""
    tables = [one.name for one in code.tables if any(c.foreign_key for c in one.columns)]
    if tables and not turns_foreign_keys_on(project):
        more = f" and {len(tables) - _FEW} more tables" if len(tables) > _FEW else ""
        shown = ", ".join(tables[:_FEW]) + more
        yield Difference(
            "foreign_keys_off",
            "",
            code=shown,
            database="foreign_keys is off on every new connection",
            statement="PRAGMA foreign_keys=ON",
            line="run it in a listener of the engine's connect event",
        )
