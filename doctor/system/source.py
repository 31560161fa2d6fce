"""The code port: models read from source, or by import in a child where the user asks for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from doctor.errors import SourceError
from doctor.model.ports import Code
from doctor.model.schema import CodeModels
from doctor.system.code import look_at_models
from doctor.system.code.source.sights import Sights

IMPORT_SECONDS = 20.0
_MOST_KEPT = 8
_kept: dict[tuple[Path, Path], tuple[CodeModels, Sights]] = {}


class SourceCode:
    """Reads the models once, when they are first asked for."""

    def __init__(self, path: Path, *, by_import: bool = False):
        self._path = path
        self._by_import = by_import
        self._models: CodeModels | None = None

    def models(self) -> CodeModels:
        """Return what the models declare; raises SourceError when they cannot be read."""
        if self._models is None:
            self._models = (
                _imported(self._path) if self._by_import else _importable(_read(self._path))
            )
        return self._models


class CodeOfSchema:
    """The models of the schema that the database is looked at in.

    Tables without a schema are in whatever schema that is; those of others are left out.
    """

    def __init__(self, code: Code, schema: str):
        self._code = code
        self._schema = schema

    def models(self) -> CodeModels:
        """Return the models; raises SourceError where all of them are of other schemas."""
        models = self._code.models()
        here = tuple(one for one in models.tables if one.schema in (None, self._schema))
        if len(here) == len(models.tables):
            return models
        if not here:
            declared = ", ".join(sorted({repr(one.schema) for one in models.tables}))
            raise SourceError(
                f"the models declare their tables in schema {declared}, and the database is looked"
                f" at in {self._schema!r}",
                hint="name the schema in the database URL: ?options=-csearch_path%3DSCHEMA",
            )
        others = tuple(one for one in models.tables if one not in here)
        return replace(models, tables=here, elsewhere=others)


def _importable(models: CodeModels) -> CodeModels:
    if not models.gaps:
        return models
    return replace(models, gaps=tuple(replace(one, by_import=True) for one in models.gaps))


def _read(path: Path) -> CodeModels:
    """Read the models, or return what this process read before from the same unchanged files."""
    key = Path.cwd(), path
    models, sights = _kept.get(key, (None, None))
    if models is None or sights is None or not sights.hold():
        models, sights = look_at_models(path)
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = models, sights
    return models


def _imported(path: Path) -> CodeModels:
    from doctor.system.code.importing import import_models

    return import_models(path, timeout=IMPORT_SECONDS)
