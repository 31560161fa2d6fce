"""Starts the child so that it outlives nothing and disturbs nobody. Standard library only."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_LOWEST = 10
_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1));"
    " from doctor.executors.child import main; sys.exit(main())"
)


def command_of_child() -> list[str]:
    """Return how Doctor's own child is started; raises ValueError without an interpreter."""
    if not sys.executable:
        raise ValueError("there is no Python interpreter to start")
    here = os.path.abspath(__file__)  # noqa: PTH100 - pathlib costs more than all of this module
    root = os.path.dirname(os.path.dirname(os.path.dirname(here)))  # noqa: PTH120
    return [sys.executable, "-P", "-c", _PROGRAM, root]


def spawn(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], int, int]:
    """Start a child in a session of its own; return it with our two ends of its pipes.

    It works where the executor's standard streams are closed: none of our descriptors is one of
    the first three. stderr is thrown away.
    """
    import subprocess

    opened: list[int] = []
    try:
        theirs_in, ours_out = _pipe()
        opened += [theirs_in, ours_out]
        ours_in, theirs_out = _pipe()
        opened += [ours_in, theirs_out]
        process = subprocess.Popen(
            list(command),
            stdin=theirs_in,
            stdout=theirs_out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except BaseException:
        for descriptor in opened:
            os.close(descriptor)
        raise
    os.close(theirs_in)
    os.close(theirs_out)
    os.set_blocking(ours_out, False)
    os.set_blocking(ours_in, False)
    return process, ours_out, ours_in


def _pipe() -> tuple[int, int]:
    import fcntl

    pair = []
    for descriptor in os.pipe():
        pair.append(fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _LOWEST))
        os.close(descriptor)
    return pair[0], pair[1]
