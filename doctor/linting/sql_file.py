"""The statements of one .sql file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from doctor.linting.catalogue import Catalogue
from doctor.linting.checks import check
from doctor.linting.given import Given
from doctor.linting.parsing import looks_like_sql
from doctor.linting.place import is_ignored, place_in_text
from doctor.linting.python_file import FileResult, UnreadableFileError
from doctor.linting.slots import Statement
from doctor.model.sql_finding import SqlFinding

# What is never closed goes to the end, so that nothing is looked at twice.
_PART = re.compile(
    r"'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z)|`[^`]*(?:`|\Z)|--[^\n]*"
    r"|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|\$\$(?:[^$]|\$(?!\$))*(?:\$\$|\Z)|;"
)
_TEMPLATE = re.compile(r"\{\{|\{%|\$\{|<%")


def lint_sql(
    path: str, content: bytes, catalogue: Catalogue, dialects: Sequence[str]
) -> Iterator[FileResult]:
    """Yield what each statement of a file holds; templates are left out.

    Raises UnreadableFileError where the file is no text.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError("it is not text in UTF-8") from None
    lines = content.split(b"\n")
    for start, sql in _statements(text):
        if not looks_like_sql(sql) or _TEMPLATE.search(sql):
            continue
        sights = check(Statement(sql, ()), Given({}), catalogue, dialects)
        if sights is None:
            continue
        result = FileResult(statements=1)
        for one in sights:
            offset = start + (one.at if isinstance(one.at, int) else 0)
            line, column = place_in_text(text, offset)
            if not is_ignored(lines[line - 1], one.code):
                finding = SqlFinding(
                    path, line, column, one.code, one.message, one.hint, one.severity
                )
                result.findings.append(finding)
        yield result


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each statement with the offset of its first word."""
    start = 0
    for match in _PART.finditer(text):
        if match[0] == ";":
            yield _stripped(start, text[start : match.start()])
            start = match.end()
    yield _stripped(start, text[start:])


def _stripped(start: int, sql: str) -> tuple[int, str]:
    return start + len(sql) - len(sql.lstrip()), sql.strip()
