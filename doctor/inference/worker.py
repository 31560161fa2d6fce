"""The child process around the durable engine: rulesets on stdin, matches on stdout.

It runs as a file, without site-packages and without the rest of Doctor, so that it starts in the
time of a bare interpreter; nothing of it may be imported by Doctor's own process. Arguments: the
folder that holds the engine, bytes of memory, seconds of processor time.

Requests are lines, a letter and JSON that goes to the engine as it is: ``R`` a ruleset, ``F`` a
fact, ``G`` ends a ruleset. Answers are lines: what the engine says of each match, as it says it,
``.`` at the end of a ruleset, ``end`` at the end of all, or ``!`` and why it stopped.
"""

from __future__ import annotations

import resource
import sys
from types import ModuleType
from typing import BinaryIO


def main(arguments: list[str]) -> int:
    """Answer one request and return the exit code."""
    folder, memory, seconds = arguments
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_AS, int(memory))
    limit(resource.RLIMIT_CPU, int(seconds))
    sys.path.append(folder)
    out = sys.stdout.buffer
    try:
        import durable_rules_engine as engine  # noqa: TID251 - this is the one place

        serve(engine, sys.stdin.buffer, out)
    except Exception as error:  # noqa: BLE001 - the engine raises bare exceptions; all are fatal
        out.write(b"! %s\n" % f"{type(error).__name__}: {error}".encode("ascii", "replace"))
        return 1
    finally:
        out.flush()
    return 0


def limit(what: int, soft: int) -> None:
    """Lower a resource limit; a system that cannot has the parent's deadline alone."""
    try:
        _, hard = resource.getrlimit(what)
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
        resource.setrlimit(what, (soft, soft))
    except (ValueError, OSError):
        return


def serve(engine: ModuleType, requests: BinaryIO, out: BinaryIO) -> None:
    """Answer all rulesets of a request."""
    ruleset = state = 0
    for count, line in enumerate(requests):
        text = line[1:].decode("ascii").strip()  # the engine quotes facts as they came
        if line.startswith(b"R"):
            ruleset = engine.create_ruleset(f"s{count}", text)
        elif line.startswith(b"F"):
            code, state = engine.assert_fact(ruleset, text)
            if code != 0:  # 1 matched no pattern, 2 seen before, 3 deferred: each is our mistake
                raise RuntimeError(f"assert_fact answered {code}")
        else:
            found = engine.start_action_for_state(ruleset, state)
            match = found[1] if found else None
            while match:
                out.write(match.encode("ascii") + b"\n")
                match = engine.complete_and_start_action(ruleset, state)
            out.write(b".\n")
    out.write(b"end\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
