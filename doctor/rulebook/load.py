"""All files of all packs become one rulebook, or one error that names every mistake."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from doctor.errors import RuleError
from doctor.model.rule import Rulebook
from doctor.rulebook.grammar import File, LoadedRule, LoadedSignature, read_file
from doctor.rulebook.guard import MOST_BYTES
from doctor.rulebook.names import name_problems
from doctor.rulebook.problem import RuleProblem

if TYPE_CHECKING:  # it costs 8 ms
    from importlib.resources.abc import Traversable

MOST_FILES = 10_000
_DEEPEST_FOLDER = 32
_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A pack or path that rules come from.

    Attributes:
        name: how the source is called, e.g. the name of its entry point.
        files: label (the path in messages) and content of each file, in a stable order.
        builtin: whether it came with Doctor.
        paths: the real path of each file, where it has one; empty for what is not on a disk.
        folder: the folder or file that was named.
    """

    name: str
    files: tuple[tuple[str, str | bytes], ...]
    builtin: bool = False
    paths: tuple[str, ...] = field(default=(), compare=False)
    folder: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class LoadedRulebook:
    """A rulebook with the places that its rules and signatures were read from."""

    rulebook: Rulebook
    rules: tuple[LoadedRule, ...] = ()
    signatures: tuple[LoadedSignature, ...] = ()

    def within(self, paths: Sequence[str]) -> LoadedRulebook:
        """Return the rules and signatures that were read from these files and folders."""
        rules = tuple(one for one in self.rules if _is_within(one.document.label, paths))
        signatures = tuple(one for one in self.signatures if _is_within(one.document.label, paths))
        rulebook = replace(
            self.rulebook,
            rules=tuple(one.rule for one in rules),
            signatures=tuple(one.signature for one in signatures),
        )
        return LoadedRulebook(rulebook, rules, signatures)


def load_rulebook(sources: Sequence[RuleSource], *, placed: bool = True) -> LoadedRulebook:
    """Read all sources; see ``read_files`` for ``placed``.

    Raises:
        RuleError: with every mistake of every file; nothing is loaded then.
    """
    loaded, problems = read_files(sources, placed=placed)
    problems += name_problems(loaded.rules, loaded.signatures, complete=not problems)
    if problems:
        raise RuleError(tuple(problems))
    return loaded


def read_files(
    sources: Sequence[RuleSource], *, placed: bool = True
) -> tuple[LoadedRulebook, list[RuleProblem]]:
    """Return what each file holds, and every mistake that is within one file.

    Unless ``placed``, whoever finds a mistake later knows only the file.
    """
    with uncollected():
        files = [
            read_file(label, content, builtin=source.builtin, placed=placed)
            for source in sources
            for label, content in source.files
        ]
    return _join(files), [problem for file in files for problem in file.problems]


@contextmanager
def uncollected() -> Iterator[None]:
    """Let nobody look for garbage: reading makes many values and none that refers to itself."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read_source(
    name: str, folder: Traversable, *, label: str | None = None, builtin: bool = False
) -> RuleSource:
    """Read a folder, or a single file, into a source: every ``*.yaml`` and ``*.yml`` in it.

    Files are in the order of their names; hidden files and folders are left out. ``folder`` is a
    path or a package's resources; labels of files begin with ``label``, else with ``name``.

    Raises:
        RuleError: a folder or file cannot be read, or there are too many of them.
    """
    prefix = name if label is None else label
    files: list[tuple[str, str | bytes]] = []
    paths: list[str] = []
    try:
        for path, file in _walk(prefix, folder, 0):
            files.append((path, _content(file)))
            paths.append(os.path.realpath(file) if isinstance(file, Path) else "")
            if len(files) > MOST_FILES:
                raise _refused(prefix, f"more than {MOST_FILES} rule files")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _refused(prefix, f"rules cannot be read: {reason}") from error
    return RuleSource(name, tuple(files), builtin, tuple(paths), str(folder))


def _is_within(label: str, paths: Sequence[str]) -> bool:
    file = os.path.realpath(label)
    return any(Path(file).is_relative_to(os.path.realpath(path)) for path in paths)


def _walk(path: str, entry: Traversable, depth: int) -> Iterator[tuple[str, Traversable]]:
    if entry.is_file():
        yield path, entry
        return
    if depth > _DEEPEST_FOLDER:
        raise _refused(path, f"folders nested deeper than {_DEEPEST_FOLDER} levels")
    for below in sorted(entry.iterdir(), key=lambda one: one.name):
        if below.name.startswith("."):
            continue
        if below.is_dir() or (below.is_file() and below.name.endswith(_ENDINGS)):
            yield from _walk(f"{path}/{below.name}", below, depth + 1)


def _content(file: Traversable) -> bytes:
    with file.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)


def _refused(location: str, message: str) -> RuleError:
    return RuleError((RuleProblem(message, location=location),))


def _join(files: Sequence[File]) -> LoadedRulebook:
    rules = tuple(one for file in files for one in file.rules)
    signatures = tuple(one for file in files for one in file.signatures)
    rulebook = Rulebook(
        rules=tuple(one.rule for one in rules),
        signatures=tuple(one.signature for one in signatures),
        mappings=tuple(one for file in files for one in file.mappings),
        overrides=tuple(one for file in files for one in file.overrides),
    )
    return LoadedRulebook(rulebook, rules, signatures)
