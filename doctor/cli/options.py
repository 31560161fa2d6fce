"""The options that every command takes, before or after its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from doctor.doctor import Doctor
    from doctor.settings import Settings

_SETTINGS = {
    "system": ("system", "kind"),
    "database": ("system", "database"),
    "api": ("system", "api"),
    "models": ("system", "models"),
    "import_models": ("system", "import_models"),
    "log": ("system", "logs"),
    "rules": ("rules", "paths"),
}


@dataclass
class Common:
    """The common options as they were given, outer ones overridden by inner ones."""

    values: dict[str, Any] = field(default_factory=dict)

    def take(self, given: dict[str, Any]) -> None:
        """Remember what was given; nothing that was not given overrides anything."""
        self.values |= {
            name: value for name, value in given.items() if value not in (None, (), False)
        }

    @property
    def is_json(self) -> bool:
        """Whether JSON was asked for."""
        return self.values.get("format") == "json"

    @property
    def is_sarif(self) -> bool:
        """Whether SARIF was asked for."""
        return self.values.get("format") == "sarif"

    @property
    def settings(self) -> Settings:
        """The settings of the file, the environment and the options together."""
        return self._settings(self.values.get("config"))

    @property
    def given(self) -> Settings:
        """The settings of the environment and the options, and of no file that was not named."""
        return self._settings(self.values.get("config") or os.devnull)

    def _settings(self, config: str | None) -> Settings:
        from doctor.settings import load_settings

        overrides: dict[tuple[str, ...], Any] = {
            path: self.values[name] for name, path in _SETTINGS.items() if name in self.values
        }
        if "rules" in self.values:  # what is named by hand must be right
            overrides["rules", "strict"] = True
        return load_settings(Path(config) if config else None, overrides=overrides)

    def doctor(self, **more: Any) -> Doctor:
        """Return a Doctor for these options; the caller closes it."""
        from doctor.doctor import Doctor

        return Doctor(self.settings, store=self.values.get("store"), **more)

    def print(self, text: str) -> None:
        """Write a result without secrets to --output, else to standard output."""
        from doctor.redaction import redact, tame

        text = text if self.is_json or text.startswith("{") else redact(text)
        output = self.values.get("output")
        if output:
            path = Path(output)
            try:
                path.write_text(click.unstyle(text) + "\n", encoding="utf-8", errors="replace")
            except OSError as error:
                from doctor.errors import UsageError

                raise UsageError(f"cannot write {output!r}: {error.strerror}") from error
            return
        color = {"always": True, "never": False}.get(self.values.get("color", "auto"))
        if color is None and os.environ.get("NO_COLOR"):
            color = False
        data = tame(text).encode("utf-8", "backslashreplace").decode("utf-8")
        click.echo(data, color=color)


_OPTIONS = [
    click.option("--config", metavar="FILE", help="doctor.toml to use instead of the nearest."),
    click.option("--system", metavar="NAME", help="What is under care, e.g. optuna."),
    click.option("--database", metavar="URL", help="The system's database, e.g. sqlite:///x.db."),
    click.option("--api", metavar="URL", help="The system's API, e.g. http://127.0.0.1:8000."),
    click.option("--models", metavar="PATH", help="File or package with the SQLAlchemy models."),
    click.option(
        "--import-models", is_flag=True, help="Import the models instead of reading them."
    ),
    click.option(
        "--log", metavar="FILE", multiple=True, help="A log of the executor (repeatable)."
    ),
    click.option("--store", metavar="URL", help="Where Doctor keeps what it remembers."),
    click.option("--rules", metavar="PATH", multiple=True, help="More rules (repeatable)."),
    click.option("--format", type=click.Choice(["human", "json"]), help="How to print the result."),
    click.option("--output", metavar="FILE", help="Write the result there."),
    click.option("--color", type=click.Choice(["auto", "always", "never"]), help="Use colours."),
]
_NAMES = (*_SETTINGS, "config", "store", "format", "output", "color")


def with_common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; it receives them as ``common``."""

    @wraps(function)
    def command(**arguments: Any) -> Any:
        given = {name: arguments.pop(name, None) for name in _NAMES}
        context = click.get_current_context()
        common = context.ensure_object(Common)
        common.take(given)
        return function(common=common, **arguments)

    wrapped: Callable[..., Any] = command
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def also_prints(*formats: str) -> Callable[[click.Command], click.Command]:
    """Let a command take further values of ``--format``; stands above ``command``."""

    def widen(command: click.Command) -> click.Command:
        for one in command.params:
            if one.name == "format" and isinstance(one.type, click.Choice):
                one.type = click.Choice([*one.type.choices, *formats])
        return command

    return widen
