"""The code port: models read from source, or by import in a child where the user asks for it."""

from __future__ import annotations

from pathlib import Path

from doctor.model.schema import CodeModels
from doctor.system.code import read_models

IMPORT_SECONDS = 20.0


class SourceCode:
    """Reads the models once, when they are first asked for."""

    def __init__(self, path: Path, *, by_import: bool = False):
        self._path = path
        self._by_import = by_import
        self._models: CodeModels | None = None

    def models(self) -> CodeModels:
        """Return what the models declare; raises SourceError when they cannot be read."""
        if self._models is None:
            self._models = _imported(self._path) if self._by_import else read_models(self._path)
        return self._models


def _imported(path: Path) -> CodeModels:
    from doctor.system.code.importing import import_models

    return import_models(path, timeout=IMPORT_SECONDS)
