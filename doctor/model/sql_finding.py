"""What reading the SQL of a source tree found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from doctor.model.evidence import Gap

TITLES = {
    "LINT001": "A statement writes a value that the column's enum does not have",
    "LINT002": "A statement names a table that does not exist",
    "LINT003": "A statement names a column that its table does not have",
    "LINT004": "An INSERT leaves out a required field",
    "LINT005": "A value is formatted into the text of a statement",
}


@dataclass(frozen=True, slots=True, order=True)
class SqlFinding:
    """One mistake at its place; ``line`` and ``column`` are 1-based."""

    path: str
    line: int
    column: int
    code: str
    message: str
    hint: str
    severity: Literal["error", "warning"] = "error"

    @property
    def location(self) -> str:
        """``file:line:column``."""
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class SqlReport:
    """All findings in the order of their places.

    ``files`` were looked at, ``statements`` were understood in them; ``tables`` are known.
    """

    findings: tuple[SqlFinding, ...]
    gaps: tuple[Gap, ...]
    files: int
    statements: int
    tables: int

    @property
    def exit_code(self) -> int:
        """3 where something was found, 9 where nothing was and a part could not be looked at."""
        if self.findings:
            return 3
        return 9 if self.gaps else 0
