"""A commented doctor.toml from what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from doctor.errors import UsageError
from doctor.redaction import redact
from doctor.system.discovery import Found

_WIDTH = 44


@dataclass(frozen=True, slots=True)
class Known:
    """What a first look into the system showed, for the comments.

    Attributes:
        runs: ``table.key`` of the run table, None where it was not found.
        belongs: tables whose rows belong to a run.
        states: values of the run table's own enum, of which some end a run.
        terminal: those that are known to.
        has_unread: a part of the models was not read without import.
    """

    runs: str | None = None
    belongs: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    terminal: tuple[str, ...] = ()
    has_unread: bool = False


def config_text(found: Found, known: Known) -> str:
    """Return the file; a value that holds a secret is left to the environment."""
    lines = ["# What Doctor looks after. Relative paths are relative to this file.", "[system]"]
    lines += [
        _line("kind", _quoted(found.kind), "discovered, or the name of a described system"),
        _setting("database", found.database, '"sqlite:///app.db"', "the database with the runs"),
        _setting("api", found.api, '"http://127.0.0.1:8000"', "the API that executors call"),
        _setting(
            "models",
            found.models,
            '"src/app/models.py"',
            "SQLAlchemy models, read and not imported; a file or a folder",
        ),
        _logs(found.logs),
        _line('# error_reports = ["errors/{run_id}/*.json"]', None, "what the server side writes"),
    ]
    if known.has_unread:
        why = "imports the models in a process of its own: some parts cannot be read without"
        lines.append(_line("# import_models", "true", why))
    return "\n".join([*lines, "", *_runs(known), "", *_rest()])


def write_config(file: Path, text: str, *, force: bool = False) -> None:
    """Write the file; raises UsageError where one is there already, unless ``force`` is given."""
    if file.exists() and not force:
        hint = "edit it, or give --force to replace it; --print shows what would be written"
        raise UsageError(f"{str(file)!r} is there already", hint=hint)
    try:
        with file.open("w" if force and file.is_file() else "x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {str(file)!r}: {error.strerror}") from error


def shown(found: Found) -> Mapping[str, str | None]:
    """Return what was found for each setting, as text."""
    return {
        "kind": found.kind,
        "database": found.database,
        "api": found.api,
        "models": found.models,
        "logs": ", ".join(found.logs) or None,
    }


def _setting(name: str, value: str | None, example: str, meaning: str) -> str:
    if value and redact(value) != value:
        value, meaning = None, f"{meaning}; it holds a secret: set DOCTOR_{name.upper()}"
    if value:
        return _line(name, _quoted(value), meaning)
    return _line(f"# {name}", example, meaning)


def _logs(logs: Sequence[str]) -> str:
    if logs:
        return _line("logs", f"[{', '.join(map(_quoted, logs))}]", "what executors write")
    return _line("# logs", '["logs/{run_id}*.log"]', "what executors write")


def _runs(known: Known) -> list[str]:
    belongs = f"; {', '.join(known.belongs)} belong to it" if known.belongs else ""
    told = (
        f"found: {known.runs} names a run{belongs}" if known.runs else "it was not found: name it"
    )
    table = known.runs.rpartition(".")[0] if known.runs else "runs"
    states = f"states after which a run does nothing more; there are {', '.join(known.states)}"
    ends = states if known.states else "states after which a run does nothing more"
    return [
        _line("# [system.runs]", None, "only where something else than this is meant"),
        _line("# table", _quoted(table), told),
        _line("# terminal", f"[{', '.join(map(_quoted, known.terminal or ('DONE',)))}]", ends),
    ]


def _rest() -> list[str]:
    return [
        "# [rules]",
        _line("# paths", '["doctor-rules/"]', "your rules, signatures, mappings and systems"),
        "",
        _line("# [budget]", None, "risk points: SAFE costs 1, GUARDED 3"),
        '# run = {points = 6, per = "30m"}',
        '# system = {points = 30, per = "1h"}',
        "",
        "# [hook]",
        '# deadline = "1s"',
        _line("# max_tier", '"ADVISE"', "SAFE: the retry hook heals unattended"),
        "",
    ]


def _line(name: str, value: str | None, meaning: str) -> str:
    setting = name if value is None else f"{name} = {value}"
    return f"{setting}".ljust(_WIDTH) + f"  # {_printable(meaning)}"


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in redact(text))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
