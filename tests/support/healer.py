"""A doctor that heals one run again and again: `python healer.py RUN TIMES CONFIG`.

Waits for a line on standard input, so that many begin at once. Prints how it ended each time.
"""

from __future__ import annotations

import sys
from pathlib import Path

from doctor.doctor import Doctor
from doctor.errors import DoctorError
from doctor.settings import load_settings


def main() -> None:
    """Heal."""
    run, times, config = sys.argv[1:]
    with Doctor(load_settings(Path(config)), patience=60.0) as doctor:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for _ in range(int(times)):
            try:
                ended = doctor.treat(run).status
            except DoctorError as error:
                ended = type(error).__name__  # type: ignore[assignment]
            sys.stdout.write(f"{ended}\n")


if __name__ == "__main__":
    main()
