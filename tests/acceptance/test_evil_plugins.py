"""Plugins that do what no plugin should: the others are heard, nothing is written, it is named."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from doctor.doctor import Doctor
from doctor.executors.client import Hook
from doctor.settings import load_settings
from tests.support import evil
from tests.support.jobs import jobs_ward

pytestmark = pytest.mark.slow

SECONDS = 1.5
HOOK_SECONDS = 2.0
IN_THE_HOOK = [
    "hangs",
    "holds the interpreter",
    "crashes",
    "forks natively",
    "talks garbage",
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One system for all kinds: whoever changes it fails every test after it."""
    folder = tmp_path_factory.mktemp("evil")
    with jobs_ward(folder) as jobs:
        file = folder / "doctor.toml"
        file.write_text(
            f"engine = 'reference'\n"
            f"[system]\ndatabase = '{jobs.url}'\napi = '{jobs.api}'\nmodels = '{jobs.models}'\n"
            f"[hook]\ndeadline = '{HOOK_SECONDS:g}s'\nmax_tier = 'SAFE'\n"
        )
        yield jobs, file, jobs.database.read_bytes()


@pytest.fixture
def installed(tmp_path, monkeypatch, shared):
    """Return a function that installs a good plugin and the given one, for this process."""
    jobs, _, before = shared
    folder = tmp_path / "site"
    evil.install(folder, "zgood", evil.probe_module("zgood", evil.GOOD))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("PLANTED_SECRET", "x")
    files = sorted(jobs.folder.iterdir())
    yield lambda module: evil.install(folder, "evil", module)
    assert jobs.database.read_bytes() == before
    assert sorted(jobs.folder.iterdir()) == files


def examined(shared, *, seconds=SECONDS):
    jobs, file, _ = shared
    with Doctor(load_settings(file)) as doctor:
        doctor.registry.hurry(seconds)
        for one in doctor.registry.hosts:
            one.most_strikes = 3
        pids = {one._process.pid for one in doctor.registry.hosts if one._process}
        start = time.monotonic()
        found = doctor.examine(jobs.runs["foreign"])
        taken = time.monotonic() - start
    return found, taken, pids


def said(found):
    """Return what must be the same whatever an evil plugin does."""
    facts = [one for one in found.evidence.facts if not one.kind.startswith("evil.")]
    return found.diagnoses, facts, found.plans, found.agreed


def alive(groups):
    """Return the processes of these groups that are still there."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                text = Path(entry.path, "stat").read_text(encoding="utf-8")
            except OSError:
                continue
            state, _, group = text.rpartition(")")[2].split()[:3]
            if int(group) in groups and state != "Z":
                found.append(text)
    return found


@pytest.fixture(scope="module")
def healthy(shared, tmp_path_factory):
    """What is found with the good plugin alone."""
    folder = tmp_path_factory.mktemp("good")
    evil.install(folder, "zgood", evil.probe_module("zgood", evil.GOOD))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        found, _, pids = examined(shared)
    assert not alive(pids)
    assert any(one.kind == "zgood.seen" for one in found.evidence.facts)
    assert found.evidence.gaps == ()
    return found


@pytest.mark.parametrize("kind", evil.WHILE_IT_LOOKS)
def test_whatever_a_probe_does_the_verdict_of_the_others_is_the_same(
    shared, installed, healthy, kind, figure
):
    body, reason = evil.WHILE_IT_LOOKS[kind]
    installed(evil.probe_module("evil", body, shared[0].database))
    here, environment, path = Path.cwd(), dict(os.environ), list(sys.path)
    found, taken, pids = examined(shared)
    assert (Path.cwd(), dict(os.environ), sys.path) == (here, environment, path)
    assert said(found) == said(healthy)
    gaps = [one for one in found.evidence.gaps if one.probe == "evil.probe"]
    if reason is None:
        assert gaps == []
    else:
        assert reason in gaps[0].reason, gaps
        assert "evil of evil" in gaps[0].reason or kind == "blinds the others"
        assert set(gaps[0].kinds) <= {"evil.seen"}
    assert len(found.evidence.gaps) == len(gaps)
    assert taken < SECONDS + 2
    assert len(pids) == 2
    assert not alive(pids)
    figure(f"a plugin that {kind}: {gaps[0].reason[:90] if gaps else 'harms nobody'}")


@pytest.mark.parametrize("kind", evil.WHEN_IT_LOADS)
def test_a_plugin_that_cannot_be_loaded_is_named_and_the_others_are_heard(
    shared, installed, healthy, kind
):
    module, reason = evil.WHEN_IT_LOADS[kind]
    installed(module)
    found, _, _ = examined(shared)
    assert said(found) == said(healthy)
    [gap] = found.evidence.gaps
    assert gap.probe == "plugin evil"
    assert reason in gap.reason


@pytest.mark.parametrize("kind", IN_THE_HOOK)
def test_an_executor_gets_the_same_advice_in_time(shared, installed, monkeypatch, kind, figure):
    jobs, file, _ = shared
    monkeypatch.chdir(file.parent)
    installed(evil.probe_module("evil", evil.WHILE_IT_LOOKS[kind][0], jobs.database))
    hook = Hook()
    try:
        end = time.monotonic() + 15
        while not hook.asker.is_ready and time.monotonic() < end:
            hook.warm()
            time.sleep(0.01)
            hook.asker.listen()
        start = time.perf_counter()
        advice = hook.consult(
            ValueError("x"), run=jobs.runs["foreign"], operation="get", deadline=HOOK_SECONDS
        )
        taken = time.perf_counter() - start
    finally:
        hook.close()
    assert taken <= HOOK_SECONDS * 1.1
    assert (advice.action, advice.cause) == ("asked", "enum_drift"), advice
    figure(f"an executor beside a plugin that {kind}: advice after {taken * 1000:.0f} ms")


def test_a_plugin_whose_process_fails_three_times_is_left_alone(shared, installed):
    jobs, file, _ = shared
    installed(evil.probe_module("evil", "os._exit(3)"))
    with Doctor(load_settings(file)) as doctor:
        reasons = []
        for _ in range(5):
            found = doctor.examine(jobs.runs["foreign"])
            reasons += [one.reason for one in found.evidence.gaps]
    ended = "the plugin evil of evil ended with exit code 3"
    left = "the plugin evil of evil is left out after 3 strikes: it ended with exit code 3"
    assert reasons == [ended, ended, ended, left, left]
