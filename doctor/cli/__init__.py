"""The command line. Commands are loaded when they are called: help and completion stay quick."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any

import click

from doctor.cli.options import Common, with_common_options

_COMMANDS = {
    "init": ("doctor.cli.setup:init", "Write a commented doctor.toml from what is found here."),
    "demo": ("doctor.cli.setup:demo", "Watch a small system fail, and heal, in a minute."),
    "plugins": ("doctor.cli.setup:plugins", "List the plugins and rule packs that are loaded."),
    "diagnose": ("doctor.cli.examine:diagnose", "Say what is wrong with a run, and why."),
    "scan": ("doctor.cli.scan:scan", "Say what logs show, without any system."),
    "preflight": ("doctor.cli.examine:preflight", "Check the whole system before a run starts."),
    "plan": ("doctor.cli.examine:plan", "Show the exact change, row by row, and its hash."),
    "heal": ("doctor.cli.treat:heal", "Plan, decide, apply and verify; ask where in doubt."),
    "repair": ("doctor.cli.repair:repair", "Repair a whole column, in batches."),
    "approvals": ("doctor.cli.approvals:approvals", "List, show, approve or deny what was asked."),
    "undo": ("doctor.cli.treat:undo", "Put back what a fix changed."),
    "recover": ("doctor.cli.treat:recover", "Finish what a killed doctor left behind."),
    "history": ("doctor.cli.operate:history", "Show the journal; --verify checks its chain."),
    "budget": ("doctor.cli.operate:budget", "Show how much of the risk budget is spent."),
    "pause": ("doctor.cli.operate:pause", "Stop all writes to this system at once."),
    "resume": ("doctor.cli.operate:resume", "Allow writes again."),
    "why": (
        "doctor.cli.examine:why",
        "Show which clause of a rule held, failed or lacked evidence.",
    ),
    "rules": ("doctor.cli.rules:rules", "List, show and check rules; list the facts they can use."),
    "schema": (
        "doctor.cli.schema:schema",
        "Compare tables with the models, document them, say what a row needs.",
    ),
    "ids": ("doctor.cli.ids:ids", "Say how ids are made up; check a new one."),
    "lint-sql": ("doctor.cli.lint_sql:lint_sql", "Check the SQL that source code holds."),
    "explain": ("doctor.cli.rules:explain", "Explain a diagnosis by its code."),
    "consult": (
        "doctor.cli.hook:consult",
        "Answer an executor of any language: JSON in and out.",
    ),
    "watch": ("doctor.cli.hook:watch", "Run a command, read its output along, end its loops."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported only when one of them is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the built-in commands in the order of their use."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a built-in command, or one that a plugin brought."""
        if cmd_name not in _COMMANDS:
            return _plugin_command(self, ctx, cmd_name)
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; an unknown name gets the nearest one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], list(_COMMANDS), n=1)
            if not near:
                raise
            text = f"{error.message} Did you mean {near[0]!r}?"
            raise click.UsageError(text, ctx=ctx) from None


def _plugin_command(group: click.Group, ctx: click.Context, name: str) -> click.Command | None:
    from doctor.registry import load_registry

    for extend in load_registry().extenders:
        extend(cli=group)
    return click.Group.get_command(group, ctx, name)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@with_common_options
@click.version_option(package_name="run-doctor", prog_name="doctor")
def cli(common: Common) -> None:
    """Doctor finds why a run fails, repairs what is safe, and asks about the rest.

    Start with `doctor demo`, then `doctor init` in the folder of your own system.

    Exit codes: 0 healthy or healed; 1 internal error; 2 wrong usage or rule; 3 findings remain;
    4 warnings, with --strict; 5 approval asked; 6 refused by budget or pause; 7 a fix failed and
    was undone; 8 an undo failed; 9 unknown.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(50_000, 20, 20)  # imports make garbage for nobody: 8% of a short command
    try:
        result: Any = cli.main(arguments, prog_name="doctor", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except Exception as error:  # noqa: BLE001 - the outermost boundary: no traceback for users
        from doctor.cli.failure import report_failure

        code = report_failure(error, arguments if arguments is not None else sys.argv[1:])
    sys.exit(code)
