"""Commands for executors that are not written in Python, or cannot be changed."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from doctor.cli.options import Common, with_common_options
from doctor.cli.terminal import say
from doctor.errors import UsageError
from doctor.executors.advice import advice_to_json
from doctor.executors.client import Hook
from doctor.redaction import one_line, redact_value
from doctor.report.plain import to_json

LONGEST = 1 << 20
DEADLINE = 10.0
_KNOWN = frozenset({"error", "run", "operation", "status", "deadline", "succeeded"})


@click.command()
@with_common_options
@click.option("--lines", is_flag=True, help="One question per line, one answer per line.")
def consult(common: Common, *, lines: bool) -> int:
    """Answer whether a failed call should be retried: JSON in, JSON out.

    The question is an object on standard input: error (a text), run, operation, status, deadline
    in seconds; or {"succeeded": true, "run": ..., "operation": ...}. The answer has action
    (retry, wait, fixed, stop or asked), delay, reason, incident, cause and receipt. With --lines
    the process stays warm between questions.
    """
    hook = Hook()
    config = common.values.get("config")
    try:
        if not lines:
            common.print(to_json(_answer(hook, sys.stdin.read(LONGEST), config)))
            return 0
        hook.warm()
        for line in sys.stdin:
            if line.strip():
                click.echo(json.dumps(redact_value(_answer(hook, line, config))))
    finally:
        hook.close()
    return 0


def _answer(hook: Hook, text: str, config: str | None) -> dict[str, Any]:
    question = _question(text)
    run, operation = question.get("run"), question.get("operation")
    if question.get("succeeded"):
        hook.tell({"note": "succeeded", "run": run, "operation": operation})
        return {"schema_version": 1, "action": "retry", "reason": "noted"}
    advice = hook.consult(
        str(question.get("error") or ""),
        run=run,
        operation=operation,
        status=question.get("status"),
        config=config,
        deadline=question.get("deadline") or DEADLINE,
    )
    return {"schema_version": 1, **advice_to_json(advice)}


def _question(text: str) -> dict[str, Any]:
    try:
        question = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the question is no JSON: {error}") from None
    if not isinstance(question, dict):
        raise UsageError("the question is no JSON object")
    unknown = sorted(set(question) - _KNOWN)
    if unknown:
        hint = f"known are {', '.join(sorted(_KNOWN))}"
        raise UsageError(f"the question has an unknown part {unknown[0]!r}", hint=hint)
    return question


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
@with_common_options
@click.option("--run", "run_id", metavar="RUN_ID", help="Have this run examined too.")
@click.option(
    "--on-loop",
    type=click.Choice(["end", "pause", "report"]),
    default="end",
    show_default=True,
    help="What to do when the command turns in a circle.",
)
def watch(common: Common, command: tuple[str, ...], *, run_id: str | None, on_loop: Any) -> int:
    """Run COMMAND, read its output along, and end its loops.

    Output, signals and the exit code pass through unchanged. Where Doctor ended the command the
    exit code is 3.
    """
    from doctor.executors.watching.judge import counting_judge, examining_judge
    from doctor.executors.watching.watch import Watch, die_as
    from doctor.executors.watching.watch import watch as watch_command
    from doctor.registry import load_registry
    from doctor.rulebook.book import load_book

    settings, config, hook = common.settings, common.values.get("config"), Hook()
    book = load_book(load_registry(), settings.rules.paths)
    if run_id is None:
        how = Watch(on_loop, counting_judge(config), _say)
    else:
        hook.warm()
        how = Watch(on_loop, examining_judge(hook, run_id, config), _say, holds=True)
    try:
        code = watch_command(command, book.signatures, how)
    finally:
        hook.close()
    return die_as(code)


def _say(text: str) -> None:
    say(one_line(f"doctor watch: {text}"))
