"""What a guest may not do, set by itself before the plugin is imported.

The limits are the kernel's: no file can be written to (RLIMIT_FSIZE 0), memory, processor time
and open files are bounded. What Python does is refused by an audit hook, which cannot be removed:
starting processes, opening files for writing, removing or renaming them, opening SQLite files
otherwise than read-only. This stops accidents; native code can go around the hook, not around
the limits.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time

MEMORY = 1 << 30
FILES = 128
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PROCESSES = ("subprocess.", "os.fork", "os.exec", "os.spawn", "os.posix_spawn", "os.system")
_CHANGES = (
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink"),
    *("os.chmod", "os.chown", "os.utime", "os.setxattr", "os.removexattr", "shutil."),
)
_SIGNALS = ("os.kill", "os.killpg", "signal.pthread_kill")


def put_up_fence() -> None:
    """Limit this process for good."""
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_AS, MEMORY)
    limit(resource.RLIMIT_NOFILE, FILES)
    sys.addaudithook(refuse)


def allow_seconds(seconds: float) -> None:
    """Allow that much more processor time, rounded up; then the kernel ends this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(spent.ru_utime + spent.ru_stime + seconds) + 2
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def end_with(parent: int) -> None:
    """End this process soon after its parent, even while the plugin hangs."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        signal.raise_signal(signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def limit(what: int, most: int) -> None:
    """Lower a resource limit for good, as far as the system can."""
    try:
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    except (ValueError, OSError):
        return


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Raise PermissionError for what a guest does not do; an audit hook."""
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITES and path != os.devnull:
            raise PermissionError(f"a plugin writes no file: {path!r:.200}")
    elif event == "sqlite3.connect":
        name = str(arguments[0])
        if name not in ("", ":memory:") and not ("mode=ro" in name or "immutable=1" in name):
            raise PermissionError(f"a plugin opens no database for writing: {name:.200}")
    elif event.startswith(_PROCESSES):
        raise PermissionError(f"a plugin starts no process ({event})")
    elif event.startswith((*_CHANGES, *_SIGNALS)):
        raise PermissionError(f"a plugin changes nothing ({event})")
