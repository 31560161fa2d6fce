"""One doctor at a time treats a target."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from doctor.errors import DoctorError, UsageError
from doctor.store.identity import state_folder, target_key


class BusyError(DoctorError):
    """Another doctor holds the lock of this target."""

    code = "D007"
    exit_code = 6


@contextmanager
def target_lock(identity: str, timeout: float) -> Iterator[str]:
    """Hold the target's exclusive lock; the operating system frees it when the process dies.

    Yields the name of the lock, which is this machine's alone. It is not reentrant. Raises
    BusyError after ``timeout`` seconds.
    """
    path = state_folder() / "locks" / f"{target_key(identity)}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(path, timeout=timeout, thread_local=False)
        lock.acquire()
    except Timeout:
        raise BusyError(
            f"another doctor is treating this system: {identity}",
            hint="try again when it is done",
        ) from None
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise UsageError(
            f"the lock {str(path)!r} cannot be taken: {why}",
            hint="set DOCTOR_STATE_DIR to a folder that can be written",
        ) from None
    try:
        yield f"{platform.node()}:{os.path.realpath(path)}"
    finally:
        lock.release()
