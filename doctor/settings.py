"""doctor.toml, [tool.doctor] and DOCTOR_*: what the owner configured, as one frozen value."""

from __future__ import annotations

import difflib
import glob
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from doctor.errors import UsageError
from doctor.model.description import Holds, Stored
from doctor.model.tier import Tier
from doctor.redaction import is_secret_name, remember, remember_environment, remember_url

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"kB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZE = re.compile(r"(\d{1,9})\s*(kB|MB|GB)")
_LONGEST = 100 * 365 * 86400.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?!/)(?P<path>[^?]+)(?P<query>.*)", re.DOTALL)


def parse_duration(text: object) -> float:
    """Return the seconds that ``30m``, ``1h``, ``90s`` or ``250ms`` means."""
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    seconds = float(found[1]) * _UNITS[found[2]] if found else text
    if not isinstance(seconds, float) or not 0 < seconds <= _LONGEST:
        raise ValueError(f"{text!r} is not a duration such as '30m' or '90s'")
    return seconds


def parse_tier(text: object) -> Tier:
    """Return the tier called ``text``."""
    if isinstance(text, Tier):
        return text
    if not isinstance(text, str) or text not in Tier.__members__:
        raise ValueError(f"{text!r} is not one of {', '.join(Tier.__members__)}")
    return Tier[text]


def parse_size(text: object) -> int:
    """Return the bytes that ``64MB``, ``500kB`` or ``1GB`` means."""
    found = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{text!r} is not a size such as '64MB'")
    return int(found[1]) * _BYTES[found[2]]


def parse_pattern(text: object) -> str:
    """Return a regular expression that RE2 understands."""
    import re2

    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no pattern")  # noqa: TRY004 - pydantic wants a ValueError
    try:
        re2.compile(text)
    except re2.error as error:
        raise ValueError(f"{text!r} is no pattern that RE2 understands: {error}") from None
    return text


Bytes = Annotated[int, BeforeValidator(parse_size)]
Seconds = Annotated[float, BeforeValidator(parse_duration)]
TierName = Annotated[Tier, BeforeValidator(parse_tier)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class RunsSettings(_Part):
    """[system.runs]: only where names differ from what is discovered."""

    table: str | None = None
    key: str | None = None
    terminal: tuple[str, ...] = ()


class ColumnSettings(_Part):
    """[system.columns."TABLE.COLUMN"]: what the owner says about a column; it beats the models.

    The same words as in the description of a system, see docs/describe-your-system.md.
    """

    enum: str | None = Field(default=None, pattern=r"^[\w.]+:[\w.]+$")
    stored: Stored = "values"
    values: tuple[str, ...] = ()
    open: bool = False
    nulls: Literal["accepted", "refused"] | None = None
    terminal: tuple[str, ...] = ()
    holds: Holds | None = None


class SystemSettings(_Part):
    """[system]: where the system under care keeps its data, API, models and logs.

    ``kind`` names the description of a system (see ``doctor init``), else it is discovered.
    ``create_marker`` lets a repair create its marker table where that cannot be rolled back.
    """

    kind: str = "discovered"
    database: str | None = None
    database_readonly: str | None = None
    api: str | None = None
    models: str | None = None
    import_models: bool = False
    create_marker: bool = False
    logs: tuple[str, ...] = ()
    error_reports: tuple[str, ...] = ()
    runs: RunsSettings = RunsSettings()
    columns: dict[str, ColumnSettings] = Field(default_factory=dict)

    def needed_database(self) -> str:
        """Return the database's URL; raise UsageError where none is configured."""
        if self.database is None:
            raise UsageError("no database is configured", hint="give --database")
        return self.database


class StoreSettings(_Part):
    """[store]: where Doctor keeps what it remembers, and for how long (in seconds, bytes).

    Without ``keep`` and ``max_size`` nothing is ever dropped.
    """

    url: str | None = None
    keep: Seconds | None = None
    max_size: Bytes | None = None


class RulesSettings(_Part):
    """[rules]: folders or files with the team's own rules, signatures and mappings.

    ``strict`` makes a mistake in them an error; without it their last good version stays in force.
    """

    paths: tuple[str, ...] = ()
    strict: bool = False


class Window(_Part):
    """Budget points that may be spent in a time window, in seconds."""

    points: int
    per: Seconds


class BudgetSettings(_Part):
    """[budget]: risk points per run and per system; SAFE costs 1, GUARDED and above 3."""

    run: Window = Window(points=6, per=1800.0)
    system: Window = Window(points=30, per=3600.0)


class HookSettings(_Part):
    """[hook]: what the retry hook may take; ``deadline`` is in seconds.

    ``same_failure`` equal failures are a loop where nothing is known about their kind; ``retries``
    is what all runs together may retry in a window of time, those in back-off counted.
    """

    deadline: Seconds = 1.0
    max_tier: TierName = Tier.ADVISE
    same_failure: int = Field(default=10, ge=2)
    retries: Window = Window(points=100, per=60.0)


class ApprovalSettings(_Part):
    """[approvals]: how long a question stays open, in seconds."""

    ttl: Seconds = 86400.0


class IdSettings(_Part):
    """[ids."TABLE.COLUMN"]: how the ids in a column are made up; `doctor ids infer --toml`.

    ``patterns`` are regular expressions (RE2), of which one fits the whole id.
    """

    patterns: tuple[Annotated[str, BeforeValidator(parse_pattern)], ...] = Field(min_length=1)


class Settings(_Part):
    """Everything that is configured; relative paths are already resolved against the file."""

    engine: Literal["auto", "durable", "reference"] = "auto"
    system: SystemSettings = SystemSettings()
    store: StoreSettings = StoreSettings()
    rules: RulesSettings = RulesSettings()
    budget: BudgetSettings = BudgetSettings()
    hook: HookSettings = HookSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    ids: dict[str, IdSettings] = Field(default_factory=dict)
    file: str | None = None


_ENVIRONMENT = {
    "DOCTOR_SYSTEM": ("system", "kind"),
    "DOCTOR_DATABASE": ("system", "database"),
    "DOCTOR_API": ("system", "api"),
    "DOCTOR_MODELS": ("system", "models"),
    "DOCTOR_STORE": ("store", "url"),
    "DOCTOR_ENGINE": ("engine",),
    "DOCTOR_HOOK_DEADLINE": ("hook", "deadline"),
    "DOCTOR_HOOK_MAX_TIER": ("hook", "max_tier"),
}


def find_config(start: Path) -> Path | None:
    """Return doctor.toml or a pyproject.toml with [tool.doctor], upwards from ``start``."""
    for folder in (start, *start.parents):
        own = folder / "doctor.toml"
        if own.is_file():
            return own
        shared = folder / "pyproject.toml"
        if shared.is_file() and "doctor" in _part(_read_toml(shared), "tool"):
            return shared
    return None


def load_settings(
    config: Path | None,
    *,
    overrides: Mapping[tuple[str, ...], Any] | None = None,
    environment: Mapping[str, str] = os.environ,
    start: Path | None = None,
) -> Settings:
    """Return the settings: overrides beat DOCTOR_* beat the file; a wrong key is a UsageError.

    ``overrides`` maps a path such as ("system", "api") to its value; relative paths in overrides
    and in the environment are relative to the working directory.
    """
    here = start or Path.cwd()
    file = config or find_config(here)
    data: dict[str, Any] = {}
    if file is not None:
        raw = _read_toml(file)
        data = _part(_part(raw, "tool"), "doctor") if file.name == "pyproject.toml" else raw
        if "file" in data:
            raise UsageError("unknown setting 'file'", location=str(file))
        data = _resolved(data, file.parent.resolve())
        data["file"] = str(file)
    extra: dict[str, Any] = {}
    for name, path in _ENVIRONMENT.items():
        if environment.get(name):
            _put(extra, path, environment[name])
    for path, value in (overrides or {}).items():
        if value not in (None, ()):
            _put(extra, path, value)
    merged = _merged(data, _resolved(extra, here.resolve()))
    remember_environment(environment)
    _remember(merged)
    try:
        return Settings.model_validate(_tuples(merged))
    except ValidationError as error:
        raise _wrong_settings(error, file) from None


def settings_in(folder: Path, settings: Settings, **system: Any) -> Settings:
    """Return the settings with another [system], whose relative paths are relative to ``folder``.

    Raises UsageError for a wrong value.
    """
    found = {name: value for name, value in system.items() if value not in (None, ())}
    resolved = _resolved({"system": found}, folder.resolve())["system"]
    whole = {**settings.system.model_dump(), **_tuples(resolved)}
    try:
        return settings.model_copy(update={"system": SystemSettings.model_validate(whole)})
    except ValidationError as error:
        raise _wrong_settings(error, None) from None


def _remember(part: Any, name: str = "") -> None:
    """Let no secret that is configured be printed, whether or not the settings are right."""
    if isinstance(part, dict):
        for key, value in part.items():
            _remember(value, key)
    elif isinstance(part, list | tuple):
        for one in part:
            _remember(one, name)
    elif isinstance(part, str):
        remember_url(part)
        if is_secret_name(name):
            remember((part,))


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"not valid TOML: {error}", location=str(file)) from error


def _part(data: dict[str, Any], name: str) -> dict[str, Any]:
    part = data.get(name, {})
    if not isinstance(part, dict):
        raise UsageError(f"setting {name!r} is {part!r}, not a table")
    return part


def _put(data: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        data = data.setdefault(name, {})
    data[path[-1]] = value


def _merged(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    out = dict(low)
    for name, value in high.items():
        old = out.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            out[name] = _merged(old, value)
        else:
            out[name] = value
    return out


def _resolved(data: dict[str, Any], base: Path) -> dict[str, Any]:
    out = {name: dict(part) if isinstance(part, dict) else part for name, part in data.items()}
    system, store, rules = (out.get(name, {}) for name in ("system", "store", "rules"))
    for part, names in ((system, ("database", "database_readonly")), (store, ("url",))):
        for name in names:
            if isinstance(part, dict) and isinstance(part.get(name), str):
                part[name] = _absolute_url(part[name], base)
    if isinstance(system, dict):
        if isinstance(system.get("models"), str):
            system["models"] = str(base / system["models"])
        for name in ("logs", "error_reports"):
            if isinstance(system.get(name), list | tuple):
                system[name] = [_absolute_pattern(one, base) for one in system[name]]
    if isinstance(rules, dict) and isinstance(rules.get("paths"), list | tuple):
        rules["paths"] = [
            str(base / one) if isinstance(one, str) else one for one in rules["paths"]
        ]
    return out


def _absolute_pattern(pattern: object, base: Path) -> object:
    if not isinstance(pattern, str) or Path(pattern).is_absolute():
        return pattern
    return str(Path(glob.escape(str(base))) / pattern)


def _absolute_url(url: str, base: Path) -> str:
    found = _SQLITE.fullmatch(url)
    if found is None or found["path"] == ":memory:":
        return url
    return f"sqlite:///{base / found['path']}{found['query']}"


def _tuples(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _tuples(value) for name, value in data.items()}
    return tuple(_tuples(one) for one in data) if isinstance(data, list) else data


def _wrong_settings(error: ValidationError, file: Path | None) -> UsageError:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), _names(first["loc"][:-1]), n=1)
        hint = f"did you mean {near[0]!r}?" if near else None
        return UsageError(f"unknown setting {path!r}", hint=hint, location=str(file or "settings"))
    message = first["msg"].removeprefix("Value error, ")
    return UsageError(f"setting {path!r}: {message}", location=str(file or "settings"))


def _names(path: Sequence[int | str]) -> list[str]:
    model: Any = Settings
    for part in path:
        fields = getattr(model, "model_fields", None)
        model = fields[part].annotation if fields else get_args(model)[1]
    return list(model.model_fields)
