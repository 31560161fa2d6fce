"""Fourteen ways in which a child can die or misbehave, as small programs, and a good one."""

from __future__ import annotations

import sys
from pathlib import Path

_TALK = """
import json, os, signal, sys, time

def say(document):
    body = json.dumps(document).encode()
    os.write(1, len(body).to_bytes(4, "big") + body)

def exactly(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            sys.exit(0)
        data += part
    return data

def hear():
    while True:
        frame = json.loads(exactly(int.from_bytes(exactly(4), "big")))
        if "note" not in frame:
            return frame
        if frame["note"] == "bye":
            sys.exit(0)

def advise(question, action="stop", uses=None, ttl=60.0, **more):
    say({"id": question["id"], "advice": {"action": action, **more}, "ttl": ttl, "uses": uses})
"""
_HELLO = 'say({"hello": True})\nquestion = hear()\n'

DEATHS = {
    "hang": "time.sleep(60)",
    "regex": "import re; re.match(r'(a+)+$', 'a' * 40 + '!')",
    "exit": "os._exit(3)",
    "segv": "os.kill(os.getpid(), signal.SIGSEGV)",
    "out of memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28));"
        " hog = []\nwhile True: hog.append(bytearray(1 << 26))"
    ),
    "flood": "while True: os.write(1, b'\\xff' * 65536)",
    "garbage": "os.write(1, b'\\0\\0\\0\\5{nope'); time.sleep(60)",
    "half a line": 'os.write(1, b\'\\0\\0\\1\\0{"id": 1, "adv\'); time.sleep(60)',
    "wrong id": "say({'id': 77, 'advice': {'action': 'stop'}, 'ttl': 9}); time.sleep(60)",
    "end of file": "os.close(1); time.sleep(60)",
    "slow drip": (
        "body = b'\\0\\0\\1\\0' + b' ' * 256\n"
        "for at in range(len(body)): os.write(1, body[at:at+1]); time.sleep(0.02)"
    ),
    "grandchild": "pid = os.fork()\nif pid: os._exit(0)\ntime.sleep(60)",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
}
NO_START = "does not start"
KINDS = (*DEATHS, NO_START)


def command(folder: Path, kind: str, *, greets: bool = True) -> list[str]:
    """Write the program of a death; return how it is started."""
    if kind == NO_START:
        return [str(folder / "there is no such program")]
    hello = _HELLO if greets else "question = hear()\n"
    return program(folder, f"{hello}{DEATHS[kind]}\n", kind)


def program(folder: Path, source: str, name: str = "child") -> list[str]:
    """Write a child that does ``source``, with the functions of the protocol; return its start."""
    file = folder / f"{name.replace(' ', '-')}.py"
    file.write_text(f"{_TALK}\n{source}", encoding="utf-8")
    return [sys.executable, "-S", "-E", str(file)]


def answering(folder: Path, body: str) -> list[str]:
    """Return a child that does ``body`` for each ``question``, for ever."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return program(
        folder, f'say({{"hello": True}})\nwhile True:\n    question = hear()\n{lines}', "answering"
    )
