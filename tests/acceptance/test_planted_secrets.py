"""Secrets planted wherever Doctor looks: none of them is in any byte that it writes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.jobs import jobs_ward, reply
from tests.support.planted import planted
from tests.support.soak import sized
from tests.support.terminal import Said

SHAPES = 40
SINKS = (
    *("cell", "other cell", "log", "traceback", "api body", "error report"),
    *("exception", "hook", "settings", "command line"),
)
VERBS = Path(__file__).parents[1] / "support" / "verbs.py"
FAILING = """
import json, sys
if "--unredacted" in sys.argv:
    from tests.support.verbs import take_redaction_out
    take_redaction_out()
from doctor.evidence import collect_evidence
from doctor.model.evidence import FactKind
from doctor.model.system import Run, System
class Failing:
    name, kinds = "failing", (FactKind("x", "", ()),)
    def collect(self, system, run):
        raise RuntimeError(self.text)
raised, asked = json.load(sys.stdin)
for text in raised:
    probe = Failing()
    probe.text = text
    print(collect_evidence([probe], System("t"), Run("r")).gaps)
from doctor.executors.adviser import Adviser, utc_now
from doctor.executors.ledger import Ledger
from doctor.executors.practice import Practice
from doctor.store.identity import state_folder
adviser = Adviser(Practice(lambda _: None), Ledger(state_folder() / "loops"), utc_now)
for text in asked:
    error = {"types": ["ValueError"], "message": text}
    for _ in range(2):
        print(adviser.answer({"error": error, "run": "r", "operation": f"GET {text}"}))
    print(adviser.answer({"kind": "progress", "run": "r", "phase": text, "result": text}))
"""
REJECTED = "'%s' is not among the defined enum values. Enum name: jobstatus."
Command = tuple[list[str], str, dict[str, str]]


class Planted:
    """One system full of secrets, and everything that Doctor wrote about it."""

    def __init__(self, ward, folder: Path, round_: int, *, redacts: bool = True):
        self.ward = ward
        self.folder = folder
        self.redacts = redacts
        self.secrets = {
            sink: dict(list(planted(f"{sink} {round_}").items())[:SHAPES]) for sink in SINKS
        }
        self.said: list[str] = []
        self.state = folder / "state"
        self.home = folder / "home"
        self.home.mkdir()

    def texts(self, sink: str) -> list[str]:
        return [text for _, text in self.secrets[sink].values()]

    def run(self, *commands: list[str] | Command) -> list[Said]:
        """Run commands, one after the other in one process."""
        whole = [one if isinstance(one, tuple) else (one, "", {}) for one in commands]
        text = self.call([str(VERBS)], json.dumps(whole))
        said = [Said(*one) for one in json.loads(text)]
        self.said += [part for one in said for part in (one.out, one.err)]
        return said

    def call(self, program: list[str], given: str) -> str:
        """Run a program and return its output; what it says on standard error is kept."""
        done = subprocess.run(
            [sys.executable, *program, *([] if self.redacts else ["--unredacted"])],
            cwd=self.home,
            env={
                **os.environ,
                "DOCTOR_STATE_DIR": str(self.state),
                "PYTHONPATH": str(VERBS.parents[2]),
                "DOCTOR_DEBUG": "1",
            },
            input=given,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        self.said.append(done.stderr)
        return done.stdout

    def written(self) -> str:
        """Return everything that was written: output, store, notes, locks, caches, documents."""
        parts = list(self.said)
        for place in (self.state, self.home):
            for file in sorted(place.rglob("*")):
                if file.is_file():
                    parts.append(file.read_bytes().decode("utf-8", "replace"))
        return "\n".join(parts)

    def leaked(self) -> list[tuple[str, str]]:
        text = self.written()
        plain = text.replace("\\/", "/")
        return [
            (sink, shape)
            for sink, many in self.secrets.items()
            for shape, (secret, _) in many.items()
            if secret in text or secret in plain
        ]


def plant(one: Planted) -> list[str]:
    """Put the secrets in their places; return the options that make Doctor look there."""
    ward = one.ward
    for text in one.texts("other cell"):
        ward.execute(
            "UPDATE jobs SET title = title || ? WHERE uid = ?", text + "\n", ward.runs["case"]
        )
    for number, text in enumerate(one.texts("cell")):
        uid = f"secret-{number}"
        ward.execute("INSERT INTO jobs VALUES (?, ?, '', '2026-01-02 03:04:05.000000')", uid, text)
    run = ward.runs["case"]
    log = one.folder / "executor.log"
    lines = [
        f"2026-01-02 03:04:05 ERROR GET /jobs/{run} -> 500 {text}" for text in one.texts("log")
    ]
    lines += [f"LookupError: {REJECTED % text}" for text in one.texts("log")]
    for text in one.texts("traceback"):
        flat = text.replace("\n", " ")
        lines += [
            "Traceback (most recent call last):",
            '  File "x.py", line 1, in f',
            f"    g({flat})",
        ]
        lines += [f"sqlite3.OperationalError: no such column: {flat}", ""]
    log.write_text("\n".join(lines) + "\n")
    for number, text in enumerate(one.texts("error report")):
        document = {"error_type": "LookupError", "error_message": REJECTED % text, "run_id": run}
        (one.folder / f"error-{number}.json").write_text(json.dumps(document))
    extra = "&".join(f"o{at}={text}" for at, text in enumerate(one.texts("settings")))
    config = one.folder / "doctor.toml"
    config.write_text(
        f"[system]\ndatabase = {json.dumps(ward.url)}\napi = {json.dumps(ward.api)}\n"
        f"models = {json.dumps(str(ward.models))}\nlogs = [{json.dumps(str(log))}]\n"
        f"error_reports = [{json.dumps(str(one.folder / 'error-*.json'))}]\n"
    )
    for name, text in (
        ("wrong-1.toml", f"[system]\ndatabase = {json.dumps('postgresql://h/x?' + extra)}\n"),
        ("wrong-2.toml", f"[system]\n{json.dumps(' '.join(one.texts('settings')))} = 1\n"),
    ):
        (one.folder / name).write_text(text)
    return ["--config", str(config)]


def use(one: Planted) -> None:
    """Let every verb work, and fail, on the system."""
    options = plant(one)
    run, log = one.ward.runs["case"], str(one.folder / "executor.log")
    as_json = ["--format", "json"]
    named = " ".join(one.texts("command line"))
    questions = [
        {"error": text, "run": run, "operation": f"GET {text}", "status": 500}
        for text in one.texts("hook")
    ]
    said = one.run(
        ["diagnose", run, *options],
        ["diagnose", run, *options, *as_json, "--output", "diagnosis.json"],
        ["preflight", *options, *as_json],
        ["preflight", *options],
        ["plan", "secret-3", *options],
        ["heal", "secret-3", *options, *as_json],
        ["approvals", "list", *options],
        ["approvals", "list", *options, *as_json],
        ["why", "db.enum-value-rejected", run, *options],
        ["scan", log],
        ["scan", log, *as_json],
        ["rules", "replay", log, "--record", "evidence.json"],
        (["consult", "--lines", *options], "\n".join(map(json.dumps, questions)), {}),
        (["consult", *options], one.texts("hook")[0], {}),
        *(
            ["diagnose", "x", "--config", str(one.folder / name), *more]
            for name in ("wrong-1.toml", "wrong-2.toml")
            for more in ([], as_json)
        ),
        ["diagnose", named, *options],
        ["heal", run, *options, "--choose", named],
        ["diagnose", run, "--database", named],
        ["scan", named],
        [named],
        ["pause", "--reason", named, *options],
        ["resume", *options, *as_json],
        (["init", "."], "", {"DOCTOR_DATABASE": f"postgresql://u:{named}@h/x"}),
        ["heal", run, *options, *as_json],
    )
    assert "outcomes" in said[-1].out, said[-1]
    [outcome] = json.loads(said[-1].out)["outcomes"]
    [*_, verified] = one.run(
        ["undo", outcome["fix"], *options],
        ["recover", *options],
        ["budget", *options],
        ["history", *options],
        ["history", *options, *as_json, "--verify"],
    )
    assert verified.code == 0
    one.said.append(
        one.call(["-c", FAILING], json.dumps([one.texts("exception"), one.texts("hook")]))
    )


@contextmanager
def leaking_ward(folder: Path, bodies: list[str]):
    """Serve a system whose API answers with secrets while the run is sick."""

    def answer(handler) -> bool:
        if handler.path == "/openapi.json" or not bodies:
            return False
        connection = sqlite3.connect(database[0])
        [(status,)] = connection.execute(
            "SELECT status FROM jobs WHERE uid = ?", (handler.path.rpartition("/")[2],)
        ).fetchall() or [("",)]
        connection.close()
        if status == "waiting":
            return False
        reply(handler, 500, json.dumps({"detail": bodies.pop()}))
        return True

    database: list[Path] = []
    with jobs_ward(folder, answer) as ward:
        database.append(ward.database)
        yield ward


def play(folder: Path, round_: int = 0, *, redacts: bool = True) -> Planted:
    folder.mkdir()
    bodies: list[str] = []
    with leaking_ward(folder, bodies) as ward:
        one = Planted(ward, folder, round_, redacts=redacts)
        bodies += [" ".join(one.texts("api body"))[:480], *one.texts("api body")]
        use(one)
    return one


@pytest.mark.slow
@pytest.mark.soak
def test_no_planted_secret_is_in_anything_that_is_written(tmp_path, figure):
    rounds = sized(1, 10)
    found: list[tuple[str, str]] = []
    planted_ones = size = 0
    for number in range(rounds):
        one = play(tmp_path / str(number), number)
        found += one.leaked()
        planted_ones += sum(map(len, one.secrets.values()))
        size += len(one.written())
        shutil.rmtree(one.folder)
    figure(f"planted secrets {planted_ones}, found in {size:,} letters written: {len(found)}")
    assert planted_ones == rounds * 400
    assert found == []


@pytest.mark.slow
def test_without_redaction_the_same_secrets_are_found(tmp_path, figure):
    one = play(tmp_path / "x", redacts=False)
    found = one.leaked()
    sinks = {sink for sink, _ in found}
    figure(f"without redaction {len(found)} of 400 are found, in {len(sinks)} of 10 sinks")
    assert sinks == set(SINKS)
