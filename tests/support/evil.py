"""Plugins that do what no plugin should, as installed distributions; and a good one beside them."""

from __future__ import annotations

from pathlib import Path

_HEAD = """\
import ctypes, os, sys, time
from doctor import Fact, FactField, FactKind, Gap, Proposal, SetCells, Tier, hookimpl
"""
_PROBE = """\
class {name}:
    name = "{plugin}.probe"
    kinds = (FactKind("{plugin}.seen", "seen by it", (FactField("run"),)),)

    def collect(self, system, run):
{body}
        yield Fact("{plugin}.seen", {{"run": str(run.id)}}, "{plugin}")

@hookimpl
def doctor_probes():
    return (Probe(),)
"""
GOOD = "self.kinds and system.database.tables()"

# What it does while it looks, and what is then said about it; None: it harms nobody but itself.
WHILE_IT_LOOKS: dict[str, tuple[str, str | None]] = {
    "raises": ("raise ValueError('odd')", "failed: ValueError: odd"),
    "exits": ("sys.exit(3)", "failed: SystemExit: 3"),
    "raises what nobody can print": (
        "raise type('E', (BaseException,), {'__str__': lambda self: 1 / 0})()",
        "failed: evil_plugin.E: <exception str() failed>",
    ),
    "ends at once": ("os._exit(3)", "ended with exit code 3"),
    "crashes": ("ctypes.string_at(0)", "was ended by SIGSEGV"),
    "hangs": ("time.sleep(60)", "gave no answer in time"),
    "holds the interpreter": (
        "__import__('re').match('(a+)+$', 'a' * 40 + '!')",
        "no answer in time",
    ),
    "eats memory": (
        "hog = []\nwhile True: hog.append(bytes(1 << 28))",
        "failed: MemoryError",
    ),
    "forks": (
        "for _ in range(5): os.fork()",
        "failed: PermissionError: a plugin starts no process",
    ),
    "forks natively": (
        (
            "for _ in range(12):\n"
            "    if not ctypes.CDLL(None).fork(): time.sleep(9); os._exit(0)\n"
            "time.sleep(60)"
        ),
        "gave no answer in time",
    ),
    "starts programs": ("__import__('subprocess').run(['true'])", "a plugin starts no process"),
    "leaks files": ("kept = [open(os.devnull) for _ in range(10**6)]", "Too many open files"),
    "floods its output": ("while True: os.write(1, b'x' * 65536)", "printed more than"),
    "floods with facts": (
        "while True: yield Fact('evil.seen', {'run': 'x' * 1000000}, 'evil')",
        "answered more than",
    ),
    "breaks the interpreter": (
        (
            "import builtins, json\njson.dumps = builtins.isinstance = builtins.len = None\n"
            "sys.modules.clear()"
        ),
        "ended with exit code 1",
    ),
    "sets an alarm": (
        (
            "import atexit, signal\natexit.register(os.abort)\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.05)\ntime.sleep(60)"
        ),
        "was ended by SIGALRM",
    ),
    "moves house": ("os.chdir('/')\nos.environ.clear()\nos.umask(0)\nsys.path.clear()", None),
    "changes what it sees": (
        (
            "for one in system.database.tables():\n"
            "    object.__setattr__(one, 'name', 'gone')\n"
            "object.__setattr__(system, 'database', None)\n"
            "object.__setattr__(run, 'id', 'another')"
        ),
        None,
    ),
    "looks for credentials": (
        (
            "found = [one for one in os.environ if 'SECRET' in one or 'DOCTOR' in one]\n"
            "if found: raise ValueError(found)"
        ),
        None,
    ),
    "opens the database": (
        "__import__('sqlite3').connect(DATABASE).execute('DELETE FROM jobs')",
        "a plugin opens no database for writing",
    ),
    "empties the database": ("open(DATABASE, 'w').close()", "a plugin writes no file"),
    "removes the database": ("os.remove(DATABASE)", "a plugin changes nothing (os.remove)"),
    "writes natively": (
        (
            "libc = ctypes.CDLL(None, use_errno=True)\n"
            "file = libc.open(DATABASE.encode(), os.O_RDWR)\n"
            "if libc.write(file, b'x' * 100, 100) < 0: raise OSError(ctypes.get_errno(), 'refused')"
        ),
        "failed: OSError: [Errno 27] refused",
    ),
    "asks for a write door": (
        "system.database.transaction()",
        "AttributeError: a ReadDoor has no 'transaction'",
    ),
    "forges a question": (
        "system.database._ask({'port': 'database', 'method': 'transaction', 'with': {}})",
        "talks nonsense: a question that no port has: database.transaction",
    ),
    "forges Doctor's facts": (
        "yield Fact('database.invalid_value', {'run': run.id}, 'database')",
        "lies: it brought a fact 'database.invalid_value', which it does not declare",
    ),
    "lies about types": (
        "yield Fact('evil.seen', {'run': 7}, 'evil')",
        "lies: evil.seen.run is 7, not of type str",
    ),
    "blinds the others": (
        "yield Gap('database.invalid_value', 'nothing to see', ('database.invalid_value',))",
        "nothing to see",
    ),
    "talks garbage": (
        (
            "for one in range(3, 30):\n"
            "    try: os.write(one, b'\\xff' * 64)\n"
            "    except OSError: pass\n"
            "time.sleep(60)"
        ),
        "talks nonsense: a message of",
    ),
    "sends half a message": (
        (
            "for one in range(3, 30):\n"
            "    try: os.write(one, b'\\0\\0\\1\\0{\"items\"')\n"
            "    except OSError: pass\n"
            "time.sleep(60)"
        ),
        "gave no answer in time",
    ),
    "hangs up": ("os.closerange(0, 30)\ntime.sleep(60)", "closed its line"),
}
# What its module does when it is imported, and why it is then not in use.
WHEN_IT_LOADS: dict[str, tuple[str, str]] = {
    "cannot be imported": ("raise ImportError('odd')", "ImportError: odd"),
    "hangs on import": ("import time; time.sleep(60)", "gave no answer in time"),
    "ends on import": ("import os; os._exit(0)", "ended with exit code 0"),
    "crashes on import": ("import ctypes; ctypes.string_at(0)", "was ended by SIGSEGV"),
    "misspells a hook": (
        "from doctor import hookimpl\n@hookimpl\ndef doctor_probs(): return ()",
        "unknown hook 'doctor_probs'",
    ),
    "takes a name of Doctor's": (
        _HEAD
        + _PROBE.format(name="Probe", plugin="evil", body="        pass").replace(
            '"evil.probe"', '"database.invalid_value"'
        ),
        "two plugins bring a probe called 'database.invalid_value': evil of evil and enum_values",
    ),
    "declares a kind of Doctor's": (
        _HEAD
        + _PROBE.format(name="Probe", plugin="evil", body="        pass").replace(
            '"evil.seen", "seen', '"database.invalid_value", "seen'
        ),
        "declares 'database.invalid_value', which is Doctor's own",
    ),
    "is no probe": (
        "from doctor import hookimpl\n@hookimpl\ndef doctor_probes(): return [object()]",
        "object is no probe",
    ),
}


def probe_module(plugin: str, body: str, database: Path | None = None) -> str:
    """Return a module with a probe that does ``body`` while it looks."""
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    probe = _PROBE.format(name="Probe", plugin=plugin, body=lines)
    return f"{_HEAD}DATABASE = {str(database)!r}\n{probe}"


def install(folder: Path, plugin: str, module: str) -> None:
    """Install a distribution with one plugin, both called ``plugin``, into a folder."""
    info = folder / f"{plugin}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {plugin}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[doctor.plugins]\n{plugin} = {plugin}_plugin\n")
    (folder / f"{plugin}_plugin.py").write_text(module, encoding="utf-8")
