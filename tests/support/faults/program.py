"""A warm doctor that does each thing in a fork: `python program.py CONFIG CHANNEL [split]`.

One JSON command a line on standard input, ``["work"]`` or ``["audit", ...]``. The fork waits at a
gate; its pid is answered, the line ``go`` opens the gate, and its end is answered: how it ended
and what it had said. It speaks through shared memory, so that a fault in a system call never
takes its words. Nothing is open in the parent, so a fork starts as a fresh process would.
"""

from __future__ import annotations

import ctypes
import gc
import json
import mmap
import os
import sys
import traceback
from pathlib import Path

from doctor.doctor import Doctor
from doctor.errors import DoctorError
from doctor.settings import load_settings
from tests.support.faults import doors
from tests.support.faults.audit import audit
from tests.support.faults.site import RUN

PR_SET_PTRACER = 0x59616D61
ANY = ctypes.c_ulong(-1)
ROOM = 1 << 20


class Words:
    """What a fork says; what was said is kept whatever happens to it."""

    def __init__(self) -> None:
        self._room = mmap.mmap(-1, ROOM)

    def clear(self) -> None:
        self._room[:8] = bytes(8)

    def say(self, *words: object) -> None:
        line = json.dumps(words).encode() + b"\n"
        end = 8 + int.from_bytes(self._room[:8], "big")
        self._room[end : end + len(line)] = line
        self._room[:8] = (end - 8 + len(line)).to_bytes(8, "big")

    def said(self) -> list[object]:
        end = 8 + int.from_bytes(self._room[:8], "big")
        return [json.loads(one) for one in self._room[8:end].splitlines()]


def work(doctor: Doctor, words: Words, parts: str, account: int | None = None) -> None:
    """Heal the sick job, then undo what was done; say how each ended as soon as it returned."""
    fix = None
    if account is not None and os.geteuid() == 0:
        os.setgid(account)
        os.setuid(account)
    for part in parts.split("+"):
        try:
            if part == "open":
                doctor.memory.open_for_writing()
            elif part == "heal":
                treatment = doctor.treat(RUN)
                results = [[one.fix, one.result] for one in treatment.outcomes]
                words.say("heal", treatment.status, results)
                fix = results[-1][0] if results else None
            elif part == "recover":
                words.say("recover", [[one.id, one.state] for one in doctor.recover()])
            elif fix is not None or parts == "undo":
                fix = fix or last(doctor)
                words.say("undo", doctor.undo(fix).state, [[fix, "undone"]])
        except DoctorError as error:
            words.say(part, "error", type(error).__name__, error.message)
    doctor.close()


def last(doctor: Doctor) -> str:
    """Return the newest fix."""
    store = doctor.memory.open_for_reading()
    assert store is not None
    return store.fixes.find()[-1].id


def main() -> None:
    """Serve until standard input ends."""
    config, *options = sys.argv[1:]
    words = Words()
    doctor = Doctor(load_settings(Path(config)))
    if "split" in options:
        doors.install()
    work(doctor, words, "heal+undo+recover")
    gc.freeze()
    gc.disable()
    answer({"pid": os.getpid()})
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        words.clear()
        gate, opened = os.pipe()
        pid = os.fork()
        if pid == 0:
            ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANY, 0, 0, 0)
            os.read(gate, 1)
            try:
                if what == "work":
                    work(doctor, words, *arguments)
                else:
                    words.say("audit", audit(doctor, **arguments[0]))
            except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
                words.say("crash", traceback.format_exc())
            os._exit(0)
        answer({"pid": pid})
        sys.stdin.readline()
        os.write(opened, b"!")
        os.close(opened)
        os.close(gate)
        _, status = os.waitpid(pid, 0)
        answer({"code": os.waitstatus_to_exitcode(status), "said": words.said()})


def answer(value: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
