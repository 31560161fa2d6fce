"""A doctor that stands still: `python stopped.py RUN STEP CONFIG`.

It stops itself after a step of its repair, as a machine that swaps or sleeps would, and goes on
when it is continued. Prints what became of the treatment, or the error.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from doctor.doctor import Doctor
from doctor.errors import DoctorError
from doctor.settings import load_settings


def main() -> int:
    """Treat, with one stop."""
    run, point, config = sys.argv[1:]

    def step(done: str) -> None:
        if done == point:
            os.kill(os.getpid(), signal.SIGSTOP)

    with Doctor(load_settings(Path(config)), step=step) as doctor:
        try:
            sys.stdout.write(f"{doctor.treat(run).status}\n")
        except DoctorError as error:
            sys.stdout.write(f"{type(error).__name__}: {error}\n")
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
