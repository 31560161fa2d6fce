"""Opens the system under care: its ports, where its runs are kept, and how one run is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from doctor.errors import SourceError, UsageError
from doctor.model.description import SystemDescription
from doctor.model.layout import Layout, Member, apart
from doctor.model.ports import Api, Code, Log, ReadDoor
from doctor.model.rule import ValueMapping
from doctor.model.schema import CodeModels
from doctor.model.system import System
from doctor.runs.layout import find_layout
from doctor.runs.route import fill_route, find_route, logged_route, stored_route
from doctor.settings import RunsSettings, Settings
from doctor.system.database import open_read_door
from doctor.system.described import DescribedCode, renamed, with_columns
from doctor.system.files import find_logs
from doctor.system.project import project_of
from doctor.system.source import CodeOfSchema, SourceCode

Paths = Callable[[Iterable[Log]], Iterable[str]]


def open_system(
    settings: Settings,
    run: str | None,
    identity: str,
    mappings: tuple[ValueMapping, ...],
    logged_paths: Paths,
    description: SystemDescription | None = None,
) -> System:
    """Return the system that the settings describe, as far as it can be opened.

    What ``description`` says holds wherever the settings say nothing else.

    What cannot be read becomes a reason that the probes turn into Gaps; what the user named and
    is not there raises UsageError.
    """
    wanted = settings.system
    url = wanted.database_readonly or wanted.database
    known = with_columns(
        description and renamed(description, wanted.runs.table),
        wanted,
        settings.file or "the settings",
    )
    code = _code(wanted.models, by_import=wanted.import_models)
    api = _api(wanted.api) if wanted.api and not (known and known.destroys) else None
    logs = find_logs(wanted.logs or (known.logs if known else ()), run)
    door = open_read_door(url) if url is not None else None
    code = _of_schema(code, door)
    code = _described(code, door, known, wanted.models)
    layout, layout_reason = _layout(door, code, run, _runs(wanted.runs, known))
    paths = tuple(logged_paths(logs)) if logs else ()
    template, route_reason = _template(api, layout, paths, run)
    if known is not None and known.one is not None:
        template, route_reason = known.one.replace("{run}", "{}"), None
    prefix = template or (logged_route(paths, run) if run is not None else None)
    if prefix is None and door is not None and layout is not None:
        prefix = _stored_route(paths, layout, door)
    return System(
        identity=identity,
        database=door,
        api=api,
        code=code,
        logs=logs,
        reports=find_logs(wanted.error_reports, run),
        layout=layout,
        layout_reason=layout_reason,
        apart=_apart(door, layout),
        route=fill_route(template, run) if template and run is not None else None,
        route_reason=route_reason,
        run_prefix=prefix.partition("{}")[0] if prefix else None,
        mappings=mappings,
        terminal=frozenset(wanted.runs.terminal) or (known.terminal if known else frozenset()),
        health=known.health if known else None,
        unasked=known.destroys if known and wanted.api else None,
        project=project_of(Path(wanted.models)) if wanted.models else None,
        ids={name: one.patterns for name, one in settings.ids.items()},
    )


def _runs(given: RunsSettings, known: SystemDescription | None) -> RunsSettings:
    """Return where the runs are by the settings, else by the description."""
    if known is None:
        return given
    return RunsSettings(
        table=given.table or known.runs,
        key=given.key or (known.key if given.table in (None, known.runs) else None),
        terminal=given.terminal,
    )


def _described(
    code: Code | None, door: ReadDoor | None, known: SystemDescription | None, models: str | None
) -> Code | None:
    if known is None or door is None:
        return code
    try:
        return DescribedCode(code, known, door.tables(), Path(models) if models else None)
    except SourceError:
        return code


def _apart(door: ReadDoor | None, layout: Layout | None) -> tuple[Member, ...]:
    """Return all tables where it is not known which of them keep runs."""
    try:
        return apart(door.tables()) if door is not None and layout is None else ()
    except SourceError:
        return ()


def _api(url: str) -> Api:
    from doctor.system.api import BoundedApi

    return BoundedApi(url)


def _code(models: str | None, *, by_import: bool) -> Code | None:
    if models is None:
        return None
    path = Path(models)
    if not path.exists():
        raise UsageError(f"there are no models at {models!r}")
    return SourceCode(path, by_import=by_import)


def _models(code: Code | None) -> CodeModels | None:
    try:
        return code.models() if code else None
    except SourceError:
        return None


def _of_schema(code: Code | None, door: ReadDoor | None) -> Code | None:
    """Return the models of the schema that the door looks at, where the engine has schemas."""
    if code is None or door is None:
        return code
    try:
        schema = next((one.schema for one in door.tables()), None)
    except SourceError:
        return code
    return code if schema is None else CodeOfSchema(code, schema)


def _layout(
    door: ReadDoor | None, code: Code | None, run: str | None, runs: RunsSettings
) -> tuple[Layout | None, str | None]:
    if door is None:
        return None, None
    try:
        return find_layout(door, _models(code), run, runs.table, runs.key), None
    except SourceError as error:
        return None, str(error)


def _stored_route(paths: Iterable[str], layout: Layout, door: ReadDoor) -> str | None:
    try:
        return stored_route(paths, layout.run, door)
    except SourceError:
        return None


def _template(
    api: Api | None, layout: Layout | None, paths: Iterable[str], run: str | None
) -> tuple[str | None, str | None]:
    if api is None or run is None:
        return None, None
    try:
        return find_route(api, layout.run.table.name if layout else None, paths, run), None
    except SourceError as error:
        return None, str(error)
