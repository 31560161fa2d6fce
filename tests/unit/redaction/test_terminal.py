from __future__ import annotations

import json
import subprocess
import sys

import pytest

from doctor.redaction import one_line, tame
from doctor.report.plain import to_json

EVIL = ["\x1b]0;title\x07", "\x1b[2J", "\x9b2J", "\r", "\x08", "\u202e", "\u2028", "\x7f", "\x00"]


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_but_colours_steers_a_terminal(evil):
    shown = tame(f"\x1b[1ma\x1b[0m{evil}b\n\tc")
    assert evil not in shown
    assert shown.startswith("\x1b[1ma\x1b[0m")
    assert shown.endswith("b\n\tc")
    text = to_json({"m": f"a{evil}b"})
    assert evil not in text
    assert json.loads(text)["m"] == f"a{evil}b"


def test_a_forged_line_break_makes_no_second_line():
    assert one_line("a\nERROR b\r\n\tc\x1b[1m") == "a\\nERROR b\\r\\n\\tc\\x1b[1m"


@pytest.mark.parametrize(("wanted", "lines"), [("1", 1), ("", 0)])
def test_the_log_is_one_line_an_entry_without_secrets_and_off_by_default(wanted, lines):
    program = (
        "from doctor.redaction.log import debug\n"
        "def f(password):\n    raise ValueError('x\\nDEBUG forged ghp_' + 'a1B2c3D4e5F6' * 3)\n"
        "try:\n    f('hidden-in-a-variable')\nexcept ValueError as error:\n"
        "    debug('probe failed', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"DOCTOR_DEBUG": wanted, "PATH": ""},
        timeout=60,
        check=True,
    )
    assert len(done.stderr.splitlines()) == lines
    assert "ghp_a1B2" not in done.stderr
    assert "DEBUG forged" not in done.stderr or lines
