"""What the child answers where the examination fails or the budget is spent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from doctor.executors.adviser import Adviser
from doctor.executors.ledger import Ledger
from doctor.executors.practice import Practice
from doctor.settings import HookSettings, Settings, Window

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Failing(Practice):
    """A practice whose doctor is broken."""

    def __init__(self, **hook):
        super().__init__(lambda _: None)
        self.hook = HookSettings(**hook)

    def settings(self, config):
        return Settings(hook=self.hook)

    def doctor(self, config):
        raise ZeroDivisionError("division by zero")


def ask(adviser, status=503, **more):
    question = {"kind": "failure", "run": "r1", "operation": "GET /x", "status": status, **more}
    return adviser.answer(question)["advice"]


def test_counting_goes_on_where_examining_fails(tmp_path):
    adviser = Adviser(Failing(), Ledger(tmp_path), lambda: NOW)
    first, second = ask(adviser, 500), ask(adviser, 500)
    assert first["reason"] == "the examination failed: ZeroDivisionError: division by zero"
    assert (first["action"], second["action"]) == ("retry", "stop")


def test_who_retries_more_than_all_may_waits(tmp_path):
    practice = Failing(retries=Window(points=2, per=60.0))
    adviser = Adviser(practice, Ledger(tmp_path), lambda: NOW)
    found = [ask(adviser, operation=f"GET /{n}") for n in range(3)]
    assert [one["action"] for one in found] == ["retry", "retry", "wait"]
    assert found[2]["delay"] == 60.0
    assert found[2]["reason"] == "all runs together retry more than 2 times in 60 s"


@pytest.mark.parametrize("text", ["[rules]\npaths = ['gone/']\n[system]\nlogs = ['x.log']\n"])
def test_rules_that_are_gone_are_said(tmp_path, text):
    file = tmp_path / "doctor.toml"
    file.write_text(text)
    practice = Practice(lambda _: None)
    adviser = Adviser(practice, Ledger(tmp_path), lambda: NOW)
    assert "there are no rules at" in ask(adviser, config=str(file))["reason"]
    practice.close()
