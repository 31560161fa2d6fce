"""Looking at logs alone, without any system."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from doctor.inference import ReferenceEngine, diagnose, infer
from doctor.model.evidence import Evidence
from doctor.registry import Registry, load_registry
from doctor.rulebook.book import load_book
from doctor.settings import Settings

if TYPE_CHECKING:
    from doctor.evidence.scan import Progress, Scan


def scan_logs(
    settings: Settings,
    logs: Sequence[str],
    progress: Progress,
    *,
    registry: Registry | None = None,
    today: date | None = None,
) -> Scan:
    """Say what logs show on their own, without looking at any system.

    ``logs`` are paths, ``-`` is standard input; ``progress`` is told of every block that was read.
    Nothing is ever written because of a scan, so the reference engine decides alone.

    Raises:
        RuleError: a rule file is wrong.
        UsageError: there is no such file, or two plugins clash.
    """
    from doctor.evidence.scan import LogScanner, Scan
    from doctor.inference.selection import passes

    registry = registry or load_registry()
    book = load_book(
        registry,
        settings.rules.paths,
        strict=settings.rules.strict,
        today=today or datetime.now(UTC).date(),
    )
    scanner = LogScanner(book.signatures, book.rules, passes)
    scanned = tuple(scanner.scan(name, progress) for name in logs)
    evidence = Evidence(tuple(fact for one in scanned for fact in one.facts))
    inference = infer(book.rules, evidence, ReferenceEngine())
    return Scan(scanned, diagnose(book.rules, inference.verdicts), book.gaps)
