"""Commands that try rules: test, replay, diff, stats."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doctor.cli.human import rules_tools as text
from doctor.cli.options import Common, with_common_options
from doctor.errors import UsageError
from doctor.report.plain import plain, to_json

if TYPE_CHECKING:
    from doctor.inference.replay import Case
    from doctor.model.rule import Rule
    from doctor.rulebook.book import Book

CHANGED = 3
FAILED = 2


@click.command("test")
@click.argument("paths", nargs=-1)
@click.option("--junit", metavar="FILE", help="Also write the results as JUnit XML.")
@click.option(
    "--mutate", is_flag=True, help="Drop every clause, flip every threshold: a test must notice."
)
@with_common_options
def test_rules(common: Common, paths: tuple[str, ...], *, junit: str | None, mutate: bool) -> int:
    """Run the tests inside the rules and signatures of PATHS, else of all in force.

    Exits 2 where one fails, or where a mutant survives.
    """
    from doctor.inference.examples import run_examples
    from doctor.inference.mutation import surviving
    from doctor.redaction import redact
    from doctor.registry import load_registry
    from doctor.report.rule_tests import MutantResult, junit_xml
    from doctor.rulebook.authoring import read_book

    registry = load_registry()
    _, loaded = read_book(registry, (*common.settings.rules.paths, *paths))
    loaded = loaded.within(paths) if paths else loaded
    results = tuple(run_examples(loaded))
    survivors = tuple(
        MutantResult(rule.id, one.what, document.locate_key(*one.path))
        for rule, document in (loaded.rules if mutate else ())
        for one in surviving(rule)
    )
    if junit is not None:
        try:
            Path(junit).write_text(redact(junit_xml(results, survivors)), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {junit!r}: {error.strerror}") from error
    failed = [one for one in results if one.failure is not None]
    code = FAILED if failed or survivors else 0
    if common.is_json:
        document = {"tests": len(results), "failed": plain(failed), "exit_code": code}
        common.print(to_json({**document, "survivors": plain(survivors) if mutate else None}))
    else:
        common.print(text.tested(results, survivors if mutate else None))
    return code


@click.command("replay")
@click.argument("files", nargs=-1, required=True)
@click.option("--labels", metavar="FILE", help="What people found in them, as JSON lines.")
@click.option("--record", metavar="FILE", help="Write the evidence of the one log as JSON.")
@with_common_options
def replay_rules(
    common: Common, files: tuple[str, ...], *, labels: str | None, record: str | None
) -> int:
    """Run the rules over recorded evidence (*.json) and logs; score them against labels.

    A line of labels is {"file": NAME, "cause": CAUSE}; "symptom" or "class" may stand for
    "cause", and "noise": true makes it count neither way.
    """
    from doctor.inference.recorded import evidence_to_json
    from doctor.inference.replay import replay

    book = _book(common)
    cases = list(_cases(book, files, labels))
    if record is not None:
        if len(cases) != 1:
            raise UsageError("--record takes exactly one log")
        document = to_json(evidence_to_json(cases[0].evidence))
        try:
            Path(record).write_text(document + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {record!r}: {error.strerror}") from error
    found = replay(book.rules, cases)
    if common.is_json:
        scores = {"rules": found.rules, "causes": found.causes, "all": (found.total,)}
        shown = {name: [_score(one) for one in many] for name, many in scores.items()}
        common.print(to_json({"matched": plain(found.matched), **shown, "exit_code": 0}))
    else:
        common.print(text.replayed(found))
    return 0


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option(
    "--evidence",
    metavar="FILE",
    multiple=True,
    help="Evidence or a log to compare on (repeatable).",
)
@with_common_options
def diff_rules(common: Common, before: str, after: str, evidence: tuple[str, ...]) -> int:
    """Compare what the rules of two folders say; exits 3 where a verdict changed.

    On the evidence given, else on the examples inside the rules of both folders.
    """
    from doctor.inference.difference import cases_of_tests, changed_verdicts
    from doctor.registry import load_registry
    from doctor.rulebook.authoring import read_folder

    registry = load_registry()
    paths = common.settings.rules.paths
    old, new = (read_folder(registry, paths, one) for one in (before, after))
    sides: tuple[Sequence[Rule], Sequence[Rule]] = (old.rules, new.rules)
    cases = tuple(_cases(new, evidence, None)) if evidence else cases_of_tests(*sides)
    changed = changed_verdicts(*sides, cases)
    code = CHANGED if changed else 0
    if common.is_json:
        common.print(to_json({"cases": len(cases), "changed": plain(changed), "exit_code": code}))
    else:
        common.print(text.changed(changed, len(cases)))
    return code


@click.command("stats")
@with_common_options
def stats_rules(common: Common) -> int:
    """Show what each rule did so far: hits, the last one, and how its repairs turned out."""
    from doctor.treatment.track_record import rule_records

    with common.doctor() as doctor:
        store = doctor.memory.open_for_reading()
        evaluations = store.evaluations.all() if store else ()
        fixes = store.fixes.find() if store else ()
        records = rule_records(doctor.book.rules, evaluations, fixes)
    if common.is_json:
        more = ("never_fired", "always_unknown", "success")
        shown = [{**plain(one), **{name: getattr(one, name) for name in more}} for one in records]
        common.print(to_json({"rules": shown, "exit_code": 0}))
    else:
        common.print(text.records(records))
    return 0


def _book(common: Common) -> Book:
    from doctor.registry import load_registry
    from doctor.rulebook.book import load_book

    settings = common.settings.rules
    return load_book(load_registry(), settings.paths, strict=settings.strict)


def _cases(book: Book, files: Sequence[str], labels: str | None) -> Iterator[Case]:
    from doctor.evidence.log_evidence import log_evidence
    from doctor.inference.recorded import evidence_from_json
    from doctor.inference.replay import Case

    known = _labels(labels) if labels is not None else None
    for name in files:
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no file {name!r}")
        if path.suffix == ".json":
            evidence = evidence_from_json(path.read_text("utf-8", errors="replace"), name)
        else:
            evidence = log_evidence(path, book.signature_kinds, book.signatures)
        if known is None:
            yield Case(name, evidence)
            continue
        rows = [*known.get(name, ()), *(known.get(path.name, ()) if path.name != name else ())]
        yield Case(
            name,
            evidence,
            frozenset(cause for cause, is_noise in rows if not is_noise),
            frozenset(cause for cause, is_noise in rows if is_noise),
        )


def _labels(name: str) -> dict[str, list[tuple[str, bool]]]:
    found: dict[str, list[tuple[str, bool]]] = {}
    try:
        lines = Path(name).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read labels from {name!r}: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            cause = next(row[key] for key in ("cause", "symptom", "class") if key in row)
            found.setdefault(str(row["file"]), []).append((str(cause), row.get("noise") is True))
        except (ValueError, KeyError, TypeError, StopIteration):
            hint = 'write {"file": NAME, "cause": CAUSE}'
            raise UsageError("no label", hint=hint, location=f"{name}:{number}") from None
    return found


def _score(one: Any) -> dict[str, Any]:
    return {**plain(one), "precision": one.precision, "recall": one.recall}
