"""``doctor watch``: what passes through unchanged, and how loops end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from doctor.demo import executor as demo
from tests.support.ports import answering, server
from tests.support.terminal import run

pytestmark = pytest.mark.slow

WATCH = [sys.executable, "-m", "doctor", "watch"]
FAILING = """
import sys, time
for number in range(1, 200):
    text = f"GET http://h/jobs/7 failed: HTTP {sys.argv[1]} (attempt {number}/4)"
    print("2026-01-02 03:04:05", text, flush=True)
    time.sleep(0.1)
"""


def watch(*command, options=(), timeout=60, **more):
    return subprocess.run(
        [*WATCH, *options, "--", *command],
        capture_output=True,
        timeout=timeout,
        check=False,
        **more,
    )


def python(source, *arguments):
    return [sys.executable, "-c", source, *arguments]


def calls(done):
    return done.stdout.count(b"failed")


def test_both_streams_and_the_exit_code_pass_through_byte_by_byte():
    source = (
        "import os, sys; os.write(1, bytes(range(256)) * 999 + b'no end');"
        " os.write(2, b'\\xff\\0');"
        " os.write(1, sys.stdin.buffer.read()); sys.exit(7)"
    )
    done = watch(*python(source), input=b"typed")
    assert done.returncode == 7
    assert done.stdout == bytes(range(256)) * 999 + b"no end" + b"typed"
    assert done.stderr == b"\xff\0"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -15), (signal.SIGSEGV, -11)])
def test_a_command_that_ends_by_a_signal_ends_the_watch_by_it(number, code):
    source = f"import os; os.kill(os.getpid(), {int(number)})"
    assert watch(*python(source)).returncode == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(number):
    source = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(42))\n"
        "print('ready', flush=True)\ntime.sleep(30)\n"
    )
    command = [*WATCH, "--", *python(source)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(20) == 42


def test_what_cannot_be_started_is_said_as_shells_do(tmp_path):
    file = tmp_path / "no program"
    file.write_text("")
    missing, wrong = watch("/no/such/program"), watch(str(file))
    assert (missing.returncode, wrong.returncode) == (127, 126)
    assert b"there is no command '/no/such/program'" in missing.stderr
    assert b"cannot run" in wrong.stderr


@pytest.mark.parametrize(("status", "most"), [("500", 2), ("404", 1)])
def test_a_loop_ends_in_its_first_round(tmp_path, status, most):
    done = watch(*python(FAILING, status), cwd=tmp_path)
    assert done.returncode == 3
    assert most <= calls(done) <= 4
    assert b"doctor watch: ending the command: " in done.stderr
    assert f"GET /jobs/7: {status}".encode() in done.stderr


def test_what_passes_by_itself_is_not_ended(tmp_path):
    source = FAILING.replace("range(1, 200)", "range(1, 9)")
    done = watch(*python(source, "503"), cwd=tmp_path)
    assert (done.returncode, calls(done), done.stderr) == (0, 8, b"")


def test_a_loop_may_only_be_reported(tmp_path):
    source = FAILING.replace("range(1, 200)", "range(1, 20)")
    done = watch(*python(source, "500"), options=["--on-loop", "report"], cwd=tmp_path)
    assert (done.returncode, calls(done)) == (0, 19)
    assert done.stderr.count(b"doctor watch: a loop: ") == 1


def test_a_loop_may_be_paused_and_go_on(tmp_path):
    source = FAILING.replace("range(1, 200)", "range(1, 20)")
    command = [*WATCH, "--on-loop", "pause", "--", *python(source, "500")]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        hint = "-"
        while hint and "kill -CONT" not in hint:
            hint = process.stderr.readline()
        group = int(hint.split()[-1])
        assert os.waitid(os.P_PID, process.pid, os.WNOHANG | os.WEXITED) is None
        os.kill(group, signal.SIGCONT)
        assert process.wait(30) == 0
        assert process.stdout.read().count("failed") == 19


def test_who_does_not_end_when_asked_is_killed(tmp_path):
    source = "import signal; signal.signal(15, signal.SIG_IGN)\n" + FAILING.replace("0.1", "2")
    start = time.monotonic()
    done = watch(*python(source, "404"), cwd=tmp_path)
    assert done.returncode == 3
    assert 5 <= time.monotonic() - start < 25


def test_the_demos_unmodified_executor_is_stopped_in_its_first_round(tmp_path):
    """It writes its log to a file that is named: here that is its standard output."""
    with server(answering(500)) as port:
        api = f"http://127.0.0.1:{port}"
        command = [sys.executable, demo.__file__, api, "job", "/dev/stdout", "50"]
        done = watch(*command, cwd=tmp_path)
    assert done.returncode == 3
    assert calls(done) <= demo.ATTEMPTS


def test_a_run_that_is_named_is_examined_and_repaired_while_the_command_stands_still(jobs):
    file = jobs.folder / "doctor.toml"
    file.write_text(
        f"[system]\ndatabase = '{jobs.url}'\napi = '{jobs.api}'\nmodels = '{jobs.models}'\n"
        f"[rules]\npaths = ['{jobs.mapping()}']\n[hook]\nmax_tier = 'SAFE'\n"
    )
    sick = jobs.runs["foreign"]
    source = FAILING.replace("range(1, 200)", "range(1, 2)")
    done = watch(
        *python(source, "500"), options=["--config", str(file), "--run", sick], cwd=jobs.folder
    )
    assert (done.returncode, calls(done)) == (0, 1)
    assert b"doctor watch: repaired while it ran" in done.stderr
    assert jobs.cell(sick) == "waiting"


def test_a_reader_that_goes_away_ends_the_command_as_in_a_pipe(tmp_path):
    source = "while True: print('y' * 1000)"
    with subprocess.Popen([*WATCH, "--", *python(source)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(30) != 0


def test_a_process_left_behind_with_the_pipe_is_not_waited_for(tmp_path):
    start = time.monotonic()
    done = watch("sh", "-c", "echo begun; (sleep 30) & exit 5", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (5, b"begun\n")
    assert time.monotonic() - start < 20


def test_at_a_terminal_the_command_shares_it_and_its_keys(tmp_path):
    group = "import os; print(os.getpgid(0) == os.getpgid(os.getppid()))"
    done = run("watch", "--", *python(group), cwd=tmp_path, at_terminal=True)
    assert (done.code, done.out) == (0, "True\n")
    done = run("watch", "--", *python(FAILING, "404"), cwd=tmp_path, at_terminal=True)
    assert done.code == 3
