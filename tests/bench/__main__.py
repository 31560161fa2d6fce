"""``make bench ONLY=<group>``: one line per figure; both sides of a ratio in the same run."""

from __future__ import annotations

import compileall
import sys
from collections.abc import Callable, Iterable, Mapping

from tests.bench import consult, database, rules, scan, sqllint, startup
from tests.bench.figure import Figure

GROUPS: Mapping[str, Callable[[], Iterable[Figure]]] = {
    "consult": consult.measure,
    "database": database.measure,
    "rules": rules.measure,
    "startup": startup.measure,
    "scan": scan.measure,
    "sqllint": sqllint.measure,
}


def main(names: list[str]) -> int:
    """Print the figures of the named groups, or of all."""
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        print(
            f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr
        )
        return 2
    # An installer compiles what it installs, so the peers are compiled; a source tree may not be.
    for folder in ("doctor", "plugins", "rules"):
        compileall.compile_dir(folder, quiet=1)
    for name in names or GROUPS:
        for figure in GROUPS[name]():
            print(figure, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
