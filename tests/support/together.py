"""Real processes that begin at the same moment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType


def together(
    program: ModuleType,
    arguments: Sequence[Sequence[str]],
    environments: Sequence[Mapping[str, str]] = (),
) -> list[list[str]]:
    """Run a program once for each of ``arguments``; return the lines that each printed."""
    settings = environments or [{} for _ in arguments]
    begun = [
        subprocess.Popen(
            [sys.executable, str(program.__file__), *each],
            env={**os.environ, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for each, more in zip(arguments, settings, strict=True)
    ]
    for one in begun:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in begun:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=280)[0].splitlines() for one in begun]
    assert [one.returncode for one in begun] == [0] * len(begun)
    return said
