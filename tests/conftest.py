"""What every test gets: rules cached for the session only, and a place for what it measured."""

from __future__ import annotations

import os

import pytest

FIGURE = "figure"
pytest_plugins = ["tests.support.servers", "tests.support.three_engines"]


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory):
    """Keep compiled rules for this session only."""
    os.environ["DOCTOR_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def figure(record_property):
    """Return a function that takes a line which the summary of the session shows."""

    def note(line: object) -> None:
        record_property(FIGURE, str(line))

    return note


def pytest_terminal_summary(terminalreporter):
    """Show what the tests measured, whichever worker ran them."""
    reports = [one for many in terminalreporter.stats.values() for one in many]
    lines = [
        (one.nodeid, value)
        for one in reports
        if getattr(one, "when", None) == "call"
        for name, value in one.user_properties
        if name == FIGURE
    ]
    if lines:
        terminalreporter.section("figures")
    for place, line in sorted(lines):
        terminalreporter.write_line(f"{place.partition('::')[0].rpartition('/')[2]}: {line}")
