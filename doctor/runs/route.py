"""Finds the GET of one run: from /openapi.json, else from the URLs that the logs hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from doctor.errors import SourceError
from doctor.model.layout import Member, as_key
from doctor.model.ports import Api, ReadDoor

SEGMENTS = 500
_PARAMETER = re.compile(r"\{[^{}]*\}")


def find_route(api: Api, run_table: str | None, seen: Iterable[str], run: str) -> str:
    """Return the path template of the GET of one run, ``{}`` in place of the id.

    ``seen`` are URL paths from logs. Raises SourceError when neither source names a route, or
    the API does not answer.
    """
    template = openapi_route(_openapi(api), run_table) or logged_route(seen, run)
    if template is None:
        raise SourceError(
            f"{api.origin} does not say how one run is read: no matching GET in /openapi.json,"
            " none in the logs",
            hint="give a log of the executor with --log",
        )
    return template


def openapi_route(document: Mapping[str, Any], run_table: str | None) -> str | None:
    """Return the GET path with one parameter at its end that reads like the run table."""
    wanted = _folded(run_table or "runs")
    found = []
    for path, operations in _mapping(document.get("paths")).items():
        parts = [part for part in str(path).split("/") if part]
        parameters = _PARAMETER.findall(str(path))
        if len(parameters) != 1 or len(parts) < 2 or parts[-1] != parameters[0]:  # noqa: PLR2004
            continue
        if "get" in _mapping(operations) and _folded(parts[-2]) == wanted:
            found.append(str(path))
    if not found:
        return None
    return _PARAMETER.sub("{}", min(found, key=lambda path: (path.count("/"), path)))


def logged_route(seen: Iterable[str], run: str) -> str | None:
    """Return the template of the shortest logged path that ends in the run's id."""
    ends = {path for path in seen if unquote(path.rstrip("/").rpartition("/")[2]) == run}
    if not ends:
        return None
    shortest = min(ends, key=lambda path: (path.count("/"), path))
    return shortest.rstrip("/").rpartition("/")[0] + "/{}"


def stored_route(seen: Iterable[str], top: Member, door: ReadDoor) -> str | None:
    """Return the template of a logged path that holds the id of a run in the database."""
    asked: dict[str, bool] = {}
    for path in sorted(seen):
        parts = path.split("/")
        for number, part in enumerate(parts):
            if not part or len(asked) >= SEGMENTS:
                continue
            if part not in asked:
                key = as_key(top.table, top.via, unquote(part))
                asked[part] = door.count(top.table, {top.via: key}) > 0
            if asked[part]:
                return "/".join([*parts[:number], "{}"])
    return None


def fill_route(template: str, run: str) -> str:
    """Return the path of one run's GET."""
    return template.replace("{}", quote(run, safe=""))


def run_of_path(path: str, prefix: str) -> str | None:
    """Return the run id that a URL path names after ``prefix``, or None."""
    if not path.startswith(prefix):
        return None
    return unquote(path[len(prefix) :].split("/", 1)[0]) or None


def _openapi(api: Api) -> Mapping[str, Any]:
    answer = api.get("/openapi.json")
    if answer.status != 200:  # noqa: PLR2004
        return {}
    try:
        return _mapping(json.loads(answer.body))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _folded(name: str) -> str:
    letters = re.sub(r"[^a-z0-9]", "", name.casefold())
    if letters.endswith("ies"):
        return letters[:-3] + "y"
    return letters.removesuffix("s")
