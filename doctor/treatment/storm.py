"""When so much goes wrong at once that nobody is there to see: unattended treatment stops.

Binds the retry hook, the adapters and ``watch`` alone; whoever calls a treatment by name sees what
it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from doctor.model.diagnosis import Diagnosis
from doctor.store import Fix, Stop, Store
from doctor.treatment.track_record import has_failed

WINDOW = timedelta(minutes=5)
FEWEST = 3
SHARE = 0.1
FAILED_IN_A_ROW = 2
STRUCTURAL = frozenset({"api", "code", "database"})


def is_confirmed(findings: Iterable[Diagnosis]) -> bool:
    """Tell whether a structural probe saw any of this; a log line alone confirms nothing."""
    return any(fact.source in STRUCTURAL for one in findings for fact in one.facts)


def stop_in_storm(
    store: Store, run: str, findings: Iterable[Diagnosis], active: Callable[[], int | None]
) -> Stop | None:
    """Return the stop that binds unattended treatment now, and bring it about where it is time.

    ``active`` counts the active runs; None where that cannot be told: then few are many.
    """
    known = store.stops.current()
    if known is not None:
        return known
    sick = store.stops.sighted(run, WINDOW, confirmed=is_confirmed(findings))
    if sick > FEWEST and sick > (active() or 0) * SHARE:
        minutes = WINDOW.total_seconds() / 60
        return store.stops.stop(
            f"{sick} runs became sick within {minutes:g} minutes by symptoms that neither "
            f"database nor API nor code confirms"
        )
    failed = failed_since(store.fixes.find(), store.stops.resumed_at())
    if failed >= FAILED_IN_A_ROW:
        return store.stops.stop(f"the last {failed} repairs were not verified")
    return None


def failed_since(fixes: Iterable[Fix], since: datetime | None) -> int:
    """Return how many of the last repairs failed their checks in a row, since a time."""
    count = 0
    ordered = sorted(fixes, key=lambda one: one.intended_at)
    for one in ordered:
        if since is not None and one.intended_at <= since:
            continue
        count = count + 1 if has_failed(one) else 0 if one.state == "verified" else count
    return count
