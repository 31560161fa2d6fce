"""The SQL in one Python file."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doctor.linting.catalogue import Catalogue
from doctor.linting.checks import check
from doctor.linting.given import Given
from doctor.linting.objects import Imports, check_objects, imports_of
from doctor.linting.parsing import looks_like_sql
from doctor.linting.place import is_ignored, place_of_node, place_of_word
from doctor.linting.scopes import Scope, scopes
from doctor.linting.sight import Sight
from doctor.linting.slots import statement_of
from doctor.linting.text import Names, Text, text_of
from doctor.model.sql_finding import SqlFinding

_NUMBERED = "$1"
_KEYWORDS = frozenset({"params", "parameters", "vars", "args", "values"})
_Bindings = dict[int, list[tuple[ast.expr, Names]]]


class UnreadableFileError(Exception):
    """A file that could not be read as what its name says; the text tells why."""


@dataclass(slots=True)
class FileResult:
    """What one file holds: findings, the number of statements, and what stayed unread of it."""

    findings: list[SqlFinding] = field(default_factory=list)
    statements: int = 0
    gaps: list[str] = field(default_factory=list)


def lint_python(
    path: str, content: bytes, catalogue: Catalogue, dialects: Sequence[str]
) -> Iterator[FileResult]:
    """Yield what each text of a file that looks like SQL holds.

    Raises UnreadableFileError where the file is no Python that this Python reads.
    """
    tree = _parsed(content)
    found = tuple(scopes(tree))
    bound: _Bindings = {}
    for scope in found:
        for node in scope.nodes:
            if isinstance(node, ast.Call):
                _bind(node, scope.names, bound)
    lines = content.split(b"\n")
    imports = imports_of(tree, Path(path)) if catalogue.classes else None
    for scope in found:
        if imports is not None:
            yield _through_objects(path, scope, catalogue, imports, lines)
        for text in _texts(scope):
            given = Given(scope.names, tuple(bound.get(id(text.node), ())))
            statement = statement_of(text)
            sights = check(statement, given, catalogue, dialects)
            if sights is None:
                continue
            result = FileResult(statements=1)
            for one in sights:
                finding = _finding(path, one, text, statement.sql, lines)
                if finding not in result.findings and not _is_ignored(finding, text, lines):
                    result.findings.append(finding)
            yield result


def _through_objects(
    path: str, scope: Scope, catalogue: Catalogue, imports: Imports, lines: Sequence[bytes]
) -> FileResult:
    result = FileResult()
    for one in check_objects(scope, catalogue.classes, imports):
        if not isinstance(one.at, int):
            line, column = place_of_node(one.at, lines)
            if not is_ignored(lines[line - 1], one.code):
                result.findings.append(
                    SqlFinding(path, line, column, one.code, one.message, one.hint, one.severity)
                )
    return result


def _parsed(content: bytes) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        text = f"line {line} is not valid Python: {getattr(error, 'msg', error)}"
        raise UnreadableFileError(text) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableFileError("it is nested too deeply") from error


def _texts(scope: Scope) -> Iterator[Text]:
    used: set[int] = set()
    for node in scope.nodes:
        is_text = isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp, ast.Call))
        if not is_text or id(node) in used or not isinstance(node, ast.expr):
            continue
        text = text_of(node, scope.names, used)
        if text is not None and looks_like_sql(text.constant):
            yield text


def _bind(call: ast.Call, names: Names, bound: _Bindings) -> None:
    """Note what a call gives beside its first argument, where that is a text."""
    if not call.args:
        return
    node = _statement_node(call.args[0], names, bound)
    if node is None:
        return
    for one in (*call.args[1:2], *(k.value for k in call.keywords if k.arg in _KEYWORDS)):
        bound.setdefault(id(node), []).append((one, names))
    if len(call.args) > 1 and isinstance(node, ast.Constant) and _NUMBERED in str(node.value):
        row = ast.Tuple(elts=call.args[1:], ctx=ast.Load())
        bound.setdefault(id(node), []).append((row, names))


def _statement_node(node: ast.expr, names: Names, bound: _Bindings) -> ast.expr | None:
    """Return the text behind a name and behind calls such as ``text("...").bindparams(...)``."""
    for _ in range(4):
        if isinstance(node, ast.Name) and node.id in names:
            node = names[node.id]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"bindparams", "params"}:
                keys = [ast.Constant(one.arg) for one in node.keywords if one.arg]
                values = [one.value for one in node.keywords if one.arg]
                inner = _statement_node(node.func.value, names, bound)
                if inner is not None:
                    given = ast.Dict(keys=list(keys), values=values)
                    bound.setdefault(id(inner), []).append((given, names))
                return inner
            if node.func.attr == "format" or not node.args:
                break
            node = node.args[0]
        elif isinstance(node, ast.Call) and node.args:
            node = node.args[0]
        else:
            break
    is_text = isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Call)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return node if is_text else None


def _finding(path: str, sight: Sight, text: Text, sql: str, lines: Sequence[bytes]) -> SqlFinding:
    at = sight.at
    if isinstance(at, int):
        line, column = place_of_word(text.node, lines, sql, at)
    else:
        node = at if hasattr(at, "lineno") else text.node
        line, column = place_of_node(node, lines)
    return SqlFinding(path, line, column, sight.code, sight.message, sight.hint, sight.severity)


def _is_ignored(finding: SqlFinding, text: Text, lines: Sequence[bytes]) -> bool:
    numbers = {finding.line, text.node.lineno, text.node.end_lineno or text.node.lineno}
    return any(is_ignored(lines[one - 1], finding.code) for one in numbers if one <= len(lines))
