"""The source files around the models: which file an import statement names."""

from __future__ import annotations

import sys
from pathlib import Path

from doctor.model.schema import CodeGap
from doctor.system.code.source.bindings import namespace_of
from doctor.system.code.source.files import MAX_FILES, parse, shown
from doctor.system.code.source.sights import Sights
from doctor.system.code.source.symbols import Module, ModuleRef, UnreadableError

_MAX_PARENTS = 6
_BOUNDARIES = (".git", "pyproject.toml", "setup.cfg", "setup.py")
_FOREIGN = sys.stdlib_module_names | {"sqlalchemy", "typing_extensions"}


class Project:
    """Loads source files once each and finds the modules that they import.

    Attributes:
        broken: a gap for every file that an import or a folder led to and that is no source.
        modules: every module that was loaded, by path.
        sights: what was seen on disk meanwhile.
    """

    def __init__(self) -> None:
        self.sights = Sights()
        self.modules: dict[Path, Module] = {}
        self.broken: dict[Path, CodeGap] = {}
        self._roots: dict[Path, tuple[Path, ...]] = {}

    def load(self, path: Path) -> Module:
        """Return the module in the file at ``path``; raises UnreadableError where it is none."""
        if path in self.broken:
            gap = self.broken[path]
            raise UnreadableError(gap.reason, gap.where)
        if path not in self.modules:
            if len(self.modules) >= MAX_FILES:
                raise UnreadableError(f"more than {MAX_FILES:,} files are imported", shown(path))
            self.modules[path] = self._parsed(path)
        return self.modules[path]

    def _parsed(self, path: Path) -> Module:
        self.sights.read(path)
        try:
            text, tree = parse(path)
        except UnreadableError as error:
            where = error.where or shown(path)
            self.broken[path] = CodeGap(where=where, what=shown(path), reason=error.reason)
            raise
        folder = path.parent if path.name == "__init__.py" else None
        return Module(path, shown(path), tree, text, namespace_of(tree.body), folder)

    def relative(self, importer: Module, level: int, dotted: str) -> ModuleRef | None:
        """Return the module of ``from <level dots><dotted> import ...``, or None."""
        folder = importer.path.parent
        for _ in range(level - 1):
            folder = folder.parent
        return self._located(folder, dotted) if dotted else self._package(folder)

    def absolute(self, importer: Module, dotted: str) -> ModuleRef | None:
        """Return the module ``dotted``, or None where it is not part of the source.

        Raises:
            UnreadableError: two different files could be meant.
        """
        if dotted.partition(".")[0] in _FOREIGN:
            return None
        roots = self._roots_of(importer.path.parent)
        found = [one for root in roots if (one := self._located(root, dotted)) is not None]
        with_code = [one for one in found if one.module is not None] or found
        if len({(one.folder, one.module) for one in with_code}) > 1:
            raise UnreadableError(f"the import of {dotted!r} could mean several files")
        return with_code[0] if with_code else None

    def submodule(self, parent: ModuleRef, name: str) -> ModuleRef | None:
        """Return the module ``name`` inside the package ``parent``, or None."""
        return self._located(parent.folder, name) if parent.folder is not None else None

    def _located(self, folder: Path, dotted: str) -> ModuleRef | None:
        *packages, last = dotted.split(".")
        for package in packages:
            folder = folder / package
        if self.sights.is_file(folder / last / "__init__.py"):
            return self._package(folder / last)
        if self.sights.is_file(folder / f"{last}.py"):
            return ModuleRef(None, self.load(folder / f"{last}.py"))
        return self._package(folder / last) if self.sights.is_dir(folder / last) else None

    def _package(self, folder: Path) -> ModuleRef | None:
        code = folder / "__init__.py"
        return ModuleRef(folder, self.load(code) if self.sights.is_file(code) else None)

    def _roots_of(self, folder: Path) -> tuple[Path, ...]:
        """Return the folders that absolute imports of a file in ``folder`` may start from."""
        if folder not in self._roots:
            root = folder
            while self.sights.is_file(root / "__init__.py") and root.parent != root:
                root = root.parent
            self._roots[folder] = self._upwards(root)
        return self._roots[folder]

    def _upwards(self, root: Path) -> tuple[Path, ...]:
        roots = []
        for folder in (root, *root.parents[: _MAX_PARENTS - 1]):
            roots.append(folder)
            if any(self.sights.exists(folder / name) for name in _BOUNDARIES):
                break
        sources = roots[-1] / "src"
        return tuple(dict.fromkeys([*roots, *([sources] if self.sights.is_dir(sources) else [])]))
