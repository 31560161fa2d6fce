from __future__ import annotations

import subprocess
import sys

import pytest

from doctor.errors import UsageError
from doctor.store import BusyError, target_lock

HOLDER = (
    "from doctor.store import target_lock\n"
    "with target_lock('t', 1):\n    print('held', flush=True)\n    input()\n"
)


def test_one_doctor_at_a_time_treats_a_target():
    with target_lock("t", 0):
        with target_lock("other", 0):
            pass
        with pytest.raises(BusyError, match="another doctor is treating this system") as busy:
            target_lock("t", 0.01).__enter__()
        assert busy.value.exit_code == 6
    with target_lock("t", 0):
        pass


def test_the_lock_of_a_killed_process_is_free():
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError):
            target_lock("t", 0).__enter__()
        holder.kill()
        holder.wait(10)
        with target_lock("t", 0):
            pass


def test_the_lock_is_freed_when_treating_raises():
    with pytest.raises(ZeroDivisionError), target_lock("t", 0):
        raise ZeroDivisionError
    with target_lock("t", 0):
        pass


def test_a_lock_folder_that_cannot_be_written_is_a_clear_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="cannot be taken: Not a directory"):
        target_lock("t", 0).__enter__()
