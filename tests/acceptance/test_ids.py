"""``doctor ids``: what it says about the ids of a system, as text, as JSON and for doctor.toml."""

from __future__ import annotations

import pytest

from tests.support.ports import make_database
from tests.support.terminal import say


@pytest.fixture
def options(tmp_path):
    path = tmp_path / "runs.db"
    words = ("quiet", "river", "north", "lamp", "stone")
    made = [f"build{at}-{one}-{other}" for at, one in enumerate(words, 300) for other in words]
    make_database(
        path,
        "CREATE TABLE runs (id VARCHAR(99) PRIMARY KEY, state VARCHAR(9))",
        *(f"INSERT INTO runs VALUES ('{one}', 'x')" for one in made),
    )
    config = tmp_path / "doctor.toml"
    config.write_text("[system]\nruns = {table = 'runs', key = 'id'}\n")
    return ["--config", str(config), "--database", f"sqlite:///{path}"]


def test_text_and_json_tell_the_same_convention(options):
    text = say("ids", "infer", *options)
    data = say("ids", "infer", *options, "--format", "json")
    assert (text.code, data.code, data.json["exit_code"]) == (0, 0, 0)
    [column] = data.json["columns"]
    assert all(family["template"] in text.out for family in column["families"])


def test_an_unusual_id_warns_and_blocks_only_where_that_is_wanted(options):
    assert say("ids", "check", "build901-quiet-river", *options, "--strict").code == 0
    for more, code in (([], 0), (["--strict"], 4)):
        said = say("ids", "check", "Build_901", *options, *more)
        data = say("ids", "check", "Build_901", *options, *more, "--format", "json")
        assert (said.code, data.code, bool(data.json["warnings"])) == (code, code, True)


def test_what_is_pinned_is_held_to(options, tmp_path):
    pinned = say("ids", "infer", *options, "--toml")
    assert (pinned.code, "\n[ids" in f"\n{pinned.out}") == (0, True)
    config = tmp_path / "doctor.toml"
    config.write_text(config.read_text() + pinned.out)
    [column] = say("ids", "infer", *options, "--format", "json").json["columns"]
    assert column["is_pinned"]


def test_a_table_that_is_not_there_is_wrong_usage(options):
    assert say("ids", "check", "x", "--table", "nowhere", *options).code == 2
