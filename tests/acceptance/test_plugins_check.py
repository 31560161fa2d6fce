"""doctor plugins --check: what the probes of others do, said before they matter."""

from __future__ import annotations

import pytest

from tests.support import evil
from tests.support.terminal import say

LOUD = "print('looking')\nyield Gap('x', 'half of it\\x1b[31m is locked')"


@pytest.fixture
def install(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return lambda name, module: evil.install(tmp_path / "site", name, module)


def both(jobs):
    text, document = (
        say("plugins", "--check", *jobs.options(), "--format", one) for one in ("human", "json")
    )
    assert text.code == document.code == document.json["exit_code"]
    return text, document.json


def test_every_probe_of_others_is_run_once_and_nothing_is_written(install, jobs):
    before = jobs.dump()
    install("good", evil.probe_module("good", evil.GOOD))
    text, document = both(jobs)
    assert text.code == 0
    [tried] = document["tried"]
    assert (tried["plugin"], tried["probe"], tried["facts"]) == ("good of good", "good.probe", 1)
    assert (tried["gaps"], tried["printed"]) == ([], "")
    assert "probe good.probe of the plugin good of good: 1 facts in" in text.out
    isolated = [one["name"] for one in document["plugins"] if one["isolated"]]
    assert isolated == ["good"]
    assert jobs.dump() == before


def test_what_fails_is_said_and_the_exit_code_is_9(install, jobs):
    install("loud", evil.probe_module("loud", LOUD))
    install("evil", evil.probe_module("evil", "print('last words', flush=True)\nos._exit(3)"))
    text, document = both(jobs)
    assert text.code == 9
    dead, loud = document["tried"]
    assert dead["gaps"] == ["the plugin evil of evil ended with exit code 3"]
    assert dead["printed"] == "last words\n"
    assert (loud["facts"], loud["gaps"]) == (1, ["half of it\x1b[31m is locked"])
    assert "\x1b[31m is" not in text.out
    assert "  gap: the plugin evil of evil ended with exit code 3\n" in text.out


def test_a_plugin_that_cannot_be_loaded_is_no_pass(install, jobs):
    install("evil", "raise ImportError('odd')")
    text, document = both(jobs)
    assert text.code == 9
    assert document["tried"] == []
    assert "no plugin of others brings a probe" in text.out
    assert "FAILED: the plugin evil of evil failed: ImportError: odd" in text.out


def test_commands_of_a_plugin_run_when_they_are_called(install, jobs, capfd):
    module = (
        "import click\nfrom doctor import hookimpl\n"
        "@hookimpl\ndef doctor_commands(cli):\n"
        "    @cli.command('greet')\n    def greet():\n        click.echo('hello')\n"
    )
    install("polite", module)
    install("rude", module.replace("    @cli", "    raise ValueError('odd')\n    @cli"))
    said = say("greet")
    assert (said.code, said.out) == (0, "hello\n")
    assert said.err == "plugin rude of rude failed: ValueError: odd\n"
