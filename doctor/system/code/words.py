"""What source code says about its tables and columns: docstrings, ``comment=``, comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from doctor.model.documentation import Place, Words
from doctor.model.schema import CodeModels
from doctor.system.code.source.files import parse
from doctor.system.code.source.symbols import UnreadableError

_OPTIONS = ("comment", "doc", "description")
_LOCATION = re.compile(r"(?P<file>.+):(?P<line>\d+)")
_NO_WORDS = re.compile(r"noqa|type:|pragma|pylint|mypy|fmt:|ruff|nosec|TODO|FIXME|XXX|[-=#*~]{3}")


@dataclass(frozen=True)
class SourceFile:
    """A file that was parsed; nothing of it is run."""

    shown: str
    text: str
    tree: ast.Module

    @cached_property
    def comments(self) -> Mapping[int, tuple[int, str]]:
        """Its comments by line, each with its column; without marks for tools."""
        found: dict[int, tuple[int, str]] = {}
        try:
            for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
                if token.type == tokenize.COMMENT:
                    said = token.string.lstrip("#: ").strip()
                    if said and not _NO_WORDS.match(said):
                        found[token.start[0]] = token.start[1], said
        except (tokenize.TokenError, SyntaxError):
            return {}
        return found

    @cached_property
    def statements(self) -> Mapping[int, tuple[ast.stmt, ast.stmt | None]]:
        """Its statements by first line, the outer ones, each with the one after it."""
        found: dict[int, tuple[ast.stmt, ast.stmt | None]] = {}
        for node in ast.walk(self.tree):
            body = getattr(node, "body", None)
            for at, one in enumerate(body if isinstance(body, list) else ()):
                after = body[at + 1] if body and at + 1 < len(body) else None
                found.setdefault(one.lineno, (one, after))
        return found


class SourceFiles:
    """Parses files once each; one that cannot be read says nothing."""

    def __init__(self) -> None:
        self._known: dict[str, SourceFile | None] = {}

    def at(self, location: str) -> tuple[SourceFile, int] | None:
        """Return the file and the line of ``file:line``, None where it is no readable source."""
        match = _LOCATION.fullmatch(location)
        if match is None:
            return None
        name = match["file"]
        if name not in self._known:
            self._known[name] = _parsed(name)
        found = self._known[name]
        return None if found is None else (found, int(match["line"]))


def source_words(models: CodeModels, files: SourceFiles) -> dict[Place, Words]:
    """Return what the source says about the tables of ``models`` and their columns."""
    found: dict[Place, Words] = {}
    for table in models.tables:
        said = _of_table(table.location, files)
        if said is not None:
            found[table.name, ""] = said
        for column in table.columns:
            said = _of_column(column.location, column.name, files)
            if said is not None:
                found[table.name, column.name] = said
    return found


def _parsed(name: str) -> SourceFile | None:
    try:
        text, tree = parse(Path(name))
    except UnreadableError:
        return None
    return SourceFile(name, text, tree)


def _of_table(location: str, files: SourceFiles) -> Words | None:
    place = files.at(location)
    node = place[0].statements.get(place[1], (None,))[0] if place is not None else None
    if node is None:
        return None
    if not isinstance(node, ast.ClassDef):
        said = _option(node, ("comment",), "Table")
        return Words(said, location) if said else None
    for one in node.body:
        if isinstance(one, ast.Assign) and getattr(one.targets[0], "id", "") == "__table_args__":
            said = _comment_in(one)
            if said:
                return Words(said, location)
    said = ast.get_docstring(node) or ""
    return Words(_flat(said), location) if said else None


def _comment_in(node: ast.Assign) -> str:
    for one in ast.walk(node.value):
        if isinstance(one, ast.Dict):
            for key, value in zip(one.keys, one.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "comment":
                    return _text(value)
    return ""


def _of_column(location: str, name: str, files: SourceFiles) -> Words | None:
    place = files.at(location)
    if place is None:
        return None
    file, line = place
    node, after = file.statements.get(line, (None, None))
    if node is not None and not isinstance(node, (ast.ClassDef, ast.Expr)):
        said = _option(node, _OPTIONS, "") or _docstring(after)
        if said:
            return Words(_flat(said), location)
    else:  # a column among the arguments of a table
        call = next(_columns_called(file.tree, name, line), None)
        said = _option(call, _OPTIONS, "") if call is not None else ""
        if said:
            return Words(_flat(said), location)
    said = _comment(file, node, line)
    return Words(said, location) if said else None


def _columns_called(tree: ast.Module, name: str, line: int) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.lineno == line and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and first.value == name:
                yield node


def _option(node: ast.AST, names: tuple[str, ...], callee: str) -> str:
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            called = getattr(one.func, "attr", getattr(one.func, "id", ""))
            for keyword in one.keywords:
                if keyword.arg in names and called.endswith(callee) and _text(keyword.value):
                    return _text(keyword.value)
    return ""


def _docstring(node: ast.stmt | None) -> str:
    return _text(node.value) if isinstance(node, ast.Expr) else ""


def _comment(file: SourceFile, node: ast.stmt | None, line: int) -> str:
    """Return the comment beside the first or last line of a column, else those right above."""
    end = getattr(node, "end_lineno", None) or line
    beside = [file.comments[one][1] for one in dict.fromkeys((line, end)) if one in file.comments]
    if beside:
        return _flat(" ".join(beside))
    indent = getattr(node, "col_offset", None)
    above: list[str] = []
    while (found := file.comments.get(line - len(above) - 1)) is not None:
        column, said = found
        alone = (indent is None or column == indent) and _is_alone(file, line - len(above) - 1)
        if not alone:
            break
        above.insert(0, said)
    return _flat(" ".join(above))


def _is_alone(file: SourceFile, line: int) -> bool:
    return file.text.splitlines()[line - 1].lstrip().startswith("#")


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _flat(text: str) -> str:
    """Return the first paragraph as one line."""
    return " ".join(text.strip().partition("\n\n")[0].split())
