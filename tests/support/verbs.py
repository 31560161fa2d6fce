"""Runs many commands in one process: `python verbs.py [--unredacted] < commands.json`.

Each command is [arguments, standard input, environment]; prints [exit code, out, err] of each.
``--unredacted`` takes the redaction out first: what then leaks is what it keeps back.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import Any


def take_redaction_out() -> None:
    """Make a Doctor that knows no secret; its children still do."""
    from doctor.redaction import known, text, values

    blind: Any = text
    blind._SHAPES = ()
    blind.WORDS = ()
    blind._lowered = lambda given: ""
    blind.known_secrets = tuple
    unnamed: Any = values
    unnamed.is_secret_name = lambda name: False
    unnamed.strength = lambda name: 0
    known._KNOWN.clear()


def main() -> None:
    """Run what standard input says."""
    commands = json.load(sys.stdin)
    if "--unredacted" in sys.argv:
        take_redaction_out()
    from doctor.cli import main as doctor

    results = []
    for arguments, given, environment in commands:
        out, err, code = io.StringIO(), io.StringIO(), 0
        before = dict(os.environ)
        os.environ.update(environment)
        sys.stdin = io.StringIO(given)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    doctor(arguments)
                except SystemExit as ended:
                    code = int(ended.code or 0)
        finally:
            os.environ.clear()
            os.environ.update(before)
        results.append([code, out.getvalue(), err.getvalue()])
    sys.__stdout__ and sys.__stdout__.write(json.dumps(results))


if __name__ == "__main__":
    main()
