"""A process that spends: `python spender.py atomic|check-then-act URL NAME TIMES POINTS`.

``check-then-act`` looks at what is left and then takes it, in two transactions: what the budget
must not do. Waits for a line on standard input; prints how many points it was granted.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from doctor.store import Limits, Reserved, Window, open_store

PER = 3600.0
WIDE: Limits = {"system": Window(10**9, PER)}


def main() -> None:
    """Spend."""
    way, url, name, times, points = sys.argv[1:]
    limits: Limits = {"system": Window(int(points), PER)}
    granted = 0
    with open_store(
        url, lambda: datetime.now(UTC), target="t", create=True, busy_timeout=120.0
    ) as store:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for number in range(int(times)):
            if way == "check-then-act":
                if store.budget.spent(limits)[0].spent >= int(points):
                    continue
                answer = store.budget.reserve("r", 1, WIDE, f"F-{name}-{number}")
            else:
                answer = store.budget.reserve("r", 1, limits, f"F-{name}-{number}")
            granted += isinstance(answer, Reserved)
    sys.stdout.write(f"{granted}\n")


if __name__ == "__main__":
    main()
