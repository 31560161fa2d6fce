"""The hook with its real child: advice, repair, death of workers, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from doctor.executors.client import Hook
from doctor.inference import durable_available
from tests.support.terminal import run as run_command

DEADLINE = 20.0


def config(ward, *, mapping=True, **hook):
    file = ward.folder / "doctor.toml"
    lines = "".join(f"{name} = {value!r}\n" for name, value in hook.items())
    rules = f"[rules]\npaths = ['{ward.mapping()}']\n" if mapping else ""
    file.write_text(
        f"[system]\ndatabase = '{ward.url}'\napi = '{ward.api}'\nmodels = '{ward.models}'\n"
        f"{rules}[hook]\n{lines}"
    )
    return str(file)


@pytest.fixture
def hook():
    found = Hook()
    yield found
    found.close()


class Answered(Exception):
    """As an HTTP library raises it."""

    def __init__(self, status, **headers):
        super().__init__(f"HTTP {status}")
        self.status = status
        self.headers = headers


def ask(hook, error, run, **more):
    try:
        raise error
    except Answered as caught:
        return hook.consult(caught, run=run, deadline=DEADLINE, **more)


def test_what_only_its_owner_may_repair_is_advice_to_stop(jobs, hook):
    advice = ask(hook, Answered(500), jobs.runs["foreign"], config=config(jobs))
    assert (advice.action, advice.cause) == ("stop", "enum_drift")
    assert jobs.cell(jobs.runs["foreign"]) == "PAUSED"


@pytest.mark.durable
def test_where_the_owner_allows_it_the_run_is_repaired_and_tried_again(jobs, hook):
    advice = ask(hook, Answered(500), jobs.runs["foreign"], config=config(jobs, max_tier="SAFE"))
    assert (advice.action, advice.cause) == ("fixed", "enum_drift")
    assert jobs.cell(jobs.runs["foreign"]) == "waiting"


@pytest.mark.skipif(durable_available(), reason="the durable engine is here")
def test_without_the_durable_engine_nothing_is_written_unattended(jobs, hook):
    advice = ask(hook, Answered(500), jobs.runs["foreign"], config=config(jobs, max_tier="SAFE"))
    assert (advice.action, advice.cause) == ("stop", "enum_drift")
    assert jobs.cell(jobs.runs["foreign"]) == "PAUSED"


@pytest.mark.durable
def test_settings_and_rules_are_read_again_when_they_change(jobs, hook):
    run = jobs.runs["foreign"]
    file = config(jobs)
    assert ask(hook, Answered(500), run, config=file, operation="a").action == "stop"
    config(jobs, max_tier="SAFE", deadline="7s")
    assert ask(hook, Answered(500), run, config=file, operation="b").action == "fixed"


def test_a_human_is_asked_about_what_is_not_certain(jobs, hook):
    file = config(jobs, mapping=False, max_tier="SAFE")
    advice = ask(hook, Answered(500), jobs.runs["typo"], config=file)
    assert advice.action == "asked"
    assert advice.incident
    assert ask(hook, Answered(500), jobs.runs["typo"], config=file) == advice


def test_a_healthy_run_is_no_reason_to_stop_at_its_first_failure(jobs, hook):
    run, file = jobs.runs["healthy"], config(jobs)
    assert ask(hook, Answered(503), run, config=file).action == "retry"
    found = [ask(hook, Answered(500), run, config=file, operation="GET /x") for _ in range(2)]
    assert [one.action for one in found] == ["retry", "stop"]


def test_a_wrong_configuration_is_said_and_counting_goes_on(hook, tmp_path):
    file = tmp_path / "doctor.toml"
    file.write_text("[hook]\nnonsense = 1\n")
    found = [ask(hook, Answered(500), "r1", config=str(file), operation="GET /x") for _ in range(2)]
    assert [one.action for one in found] == ["retry", "stop"]
    assert "nonsense" in found[0].reason


def test_the_server_says_when_to_come_again(hook):
    advice = ask(hook, Answered(429, **{"Retry-After": "17"}), "r1", operation="POST /v1")
    assert (advice.action, advice.delay) == ("wait", 17.0)


def test_a_phase_without_progress_is_advice_to_stop(hook):
    found = [hook.observe_progress("r1", "build", "failed", deadline=DEADLINE) for _ in range(3)]
    assert [one.action for one in found] == ["retry", "retry", "stop"]
    assert "no progress" in found[-1].receipt.why


@pytest.mark.slow
def test_workers_that_are_killed_are_noticed_by_the_next(hook):
    code = textwrap.dedent(
        """
        import os, signal, time
        from doctor.executors.client import Hook
        hook = Hook()
        with hook.attempt("r1", "work"):
            hook.outlook("r1", "work", 20)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], check=False)
        assert done.returncode == -signal.SIGKILL
    end = time.monotonic() + 10
    with hook.attempt("r1", "work") as attempt:
        advice = attempt.outlook(DEADLINE)
        while advice.action != "stop" and time.monotonic() < end:
            time.sleep(0.05)
            advice = attempt.outlook(DEADLINE)
    assert advice.receipt.why == "3 attempts died without an exception"


@pytest.mark.slow
def test_the_child_ends_with_an_executor_that_is_killed(tmp_path):
    code = textwrap.dedent(
        """
        import os, time
        from doctor.executors.client import Hook
        hook = Hook()
        hook.consult(ValueError("x"), run="r1", deadline=20)
        print(hook.child, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as executor:
        assert executor.stdout is not None
        child = int(executor.stdout.readline())
        os.kill(child, 0)
        executor.kill()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail("the child outlives its executor")


def test_an_executor_that_ends_well_leaves_nothing_and_does_not_hang():
    code = "import doctor; doctor.consult(ValueError('x'), run='r1', deadline=20)"
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - start < 20


def test_a_cold_child_answers_or_has_no_opinion_within_the_deadline():
    hook = Hook()
    start = time.monotonic()
    hook.consult(ValueError("x"), run="r1")
    assert time.monotonic() - start < 1.1
    hook.close()


def test_executors_in_other_languages_ask_on_standard_input(jobs):
    question = {"run": jobs.runs["foreign"], "operation": "GET /x", "status": 500, "deadline": 20}
    said = consult_command(json.dumps(question), "--config", config(jobs))
    document = json.loads(said.stdout)
    assert (document["action"], document["cause"]) == ("stop", "enum_drift")


def test_one_process_answers_line_by_line():
    lines = [
        {"run": "r1", "operation": "GET /x", "status": 500, "error": "oops", "deadline": 20},
        {"run": "r1", "operation": "GET /x", "succeeded": True},
        {"run": "r1", "operation": "GET /x", "status": 500, "error": "oops"},
        {"run": "r1", "operation": "GET /x", "status": 500, "error": "oops"},
    ]
    said = consult_command("\n\n".join(json.dumps(one) for one in lines), "--lines")
    found = [json.loads(line)["action"] for line in said.stdout.splitlines()]
    assert found == ["retry", "retry", "retry", "stop"]


@pytest.mark.parametrize("text", ["{", "[]", '{"rum": "r1"}'])
def test_a_question_that_is_none_is_wrong_usage(text):
    said = consult_command(text)
    assert (said.returncode, said.stdout) == (2, "")
    assert "the question" in said.stderr


def consult_command(text, *arguments):
    command = [sys.executable, "-m", "doctor", "consult", *arguments]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=60, check=False
    )


def test_help_names_both_commands():
    assert "watch" in run_command("--help").out
