"""What became of a change whose commit, or whose record, was reported as failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from doctor.errors import DoctorError, TreatmentError
from doctor.model.ports import WriteDoor


class UnsettledError(TreatmentError):
    """What became of a change is not known, or not noted; recovery will settle it."""

    exit_code = 9


def is_committed(door: WriteDoor, fix: str, kind: str, failure: DoctorError) -> bool:
    """Tell whether the marker of a fix is in the target after a commit that failed.

    A commit may have failed in its report only. The marker is asked for under the write lock, on
    a fresh connection. Raises UnsettledError where that cannot be learned.
    """
    try:
        with door.transaction() as transaction:
            return transaction.is_marked(fix, kind)
    except DoctorError:
        raise UnsettledError(
            f"whether the change was committed is unknown: {failure.message}",
            hint="doctor recover",
        ) from failure


@contextmanager
def noting(done: str) -> Iterator[None]:
    """Let nobody take a failure to note what is done for a failure to do it."""
    try:
        yield
    except DoctorError as error:
        raise UnsettledError(
            f"{done}, but that could not be noted: {error.message}", hint="doctor recover"
        ) from error
