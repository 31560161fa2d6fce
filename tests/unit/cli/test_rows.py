"""How far a repair in batches is, on a terminal."""

from __future__ import annotations

import io
import sys

from doctor.cli import rows
from doctor.cli.rows import RowsBar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_rows_and_their_share_are_shown_on_a_terminal_and_wiped_out(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(rows, "PATIENCE", 0.0)
    with RowsBar() as bar:
        bar.show(50_000, 200_000)
    said = terminal.getvalue()
    assert "50,000 of 200,000 rows, 25%" in said
    assert said.endswith("\r\x1b[K")


def test_nothing_is_shown_in_the_first_second_or_elsewhere(monkeypatch):
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        with RowsBar() as bar:
            bar.show(1, 2)
        assert stream.getvalue() == ""
