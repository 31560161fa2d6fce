"""Mistakes in rule files, and in SQL, as SARIF 2.1.0, which code hosts show at their lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any
from urllib.parse import quote

from doctor.errors import DoctorError
from doctor.model.sql_finding import TITLES as LINT_TITLES
from doctor.model.sql_finding import SqlFinding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_TITLES = {"D002": "A mistake in a rule file", **LINT_TITLES}
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>[1-9]\d*)(?::(?P<column>[1-9]\d*))?")


@dataclass(frozen=True, slots=True)
class Titled:
    """Something else that was found, with the title of its code."""

    code: str
    title: str
    message: str
    hint: str | None
    location: str | None
    severity: str


Problem = DoctorError | SqlFinding | Titled


def sarif_text(problems: Iterable[Problem], version: str) -> str:
    """Return the document as indented JSON; no key but those that SARIF knows."""
    text = json.dumps(sarif(problems, version), indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def sarif(problems: Iterable[Problem], version: str) -> dict[str, Any]:
    """Return the document; without problems its list of results is empty, which means "clean"."""
    found = tuple(problems)
    titles = {one.code: getattr(one, "title", None) for one in found}
    codes = sorted(titles)
    driver = {
        "name": "doctor",
        "version": version,
        "rules": [
            {
                "id": code,
                "shortDescription": {"text": titles[code] or _TITLES.get(code, "A mistake")},
            }
            for code in codes
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, codes) for one in found],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(problem: Problem, codes: list[str]) -> dict[str, Any]:
    is_warning = getattr(problem, "severity", "error") == "warning"
    text = problem.message if problem.hint is None else f"{problem.message} ({problem.hint})"
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": "warning" if is_warning else "error",
        "message": {"text": text},
    }
    if problem.location is not None:
        result["locations"] = [{"physicalLocation": _place(problem.location)}]
    return result


def _place(location: str) -> dict[str, Any]:
    match = _PLACE.fullmatch(location)
    file = location if match is None else match["file"]
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if match is not None:
        region = {"startLine": int(match["line"])}
        if match["column"] is not None:
            region["startColumn"] = int(match["column"])
        place["region"] = region
    return place


def _uri(file: str) -> str:
    """Return a path as the relative or absolute reference that SARIF wants."""
    path = PureWindowsPath(file)
    text = path.as_posix()
    return path.as_uri() if path.drive else ("file://" if text[:1] == "/" else "") + quote(text)
