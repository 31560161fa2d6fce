"""The console blocks of README and guide, executed in order in one folder, as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import REPOSITORY

BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def blocks(document: str) -> list[str]:
    """Return the console blocks of a document of the repository."""
    return BLOCK.findall((REPOSITORY / document).read_text(encoding="utf-8"))


def steps(block: str) -> list[tuple[str, str]]:
    """Return commands with what should be printed."""
    found: list[tuple[list[str], list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith(">") and not found[-1][1]:
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [("\n".join(command), "\n".join(output)) for command, output in found]


def matches(expected: str, printed: str) -> bool:
    """Tell whether the output is the expected one; ``…`` stands for anything."""
    parts = [re.escape(part) for part in expected.strip().split("…")]
    return re.fullmatch(r"[\s\S]*?".join(parts), printed.strip()) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    ["README.md", "docs/write-your-first-rule.md", "docs/write-your-first-fixer.md"],
)
def test_every_console_block_prints_what_it_says(tmp_path, document):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DOCTOR_STATE_DIR": str(tmp_path / "state"),
        "NO_COLOR": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # its own way to say: build with what is installed here
        "PIP_NO_INDEX": "1",
    }
    folder = tmp_path
    for block in blocks(document):
        for command, expected in steps(block):
            if command.startswith("cd "):
                folder = folder / command[3:]
                continue
            if command.startswith("export "):
                name, _, value = command[7:].partition("=")
                environment[name] = value
                continue
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
            )
            printed = done.stdout + done.stderr
            assert matches(expected, printed), f"$ {command}\n{printed}\ninstead of\n{expected}"


def test_the_matcher_refuses_other_output():
    assert matches("fix F-… done", "fix F-1234 done")
    assert not matches("fix F-… done", "fix F-1234 failed")


def test_the_rule_of_the_guide_has_fewer_than_25_lines():
    guide = blocks("docs/write-your-first-rule.md")[0]
    rule = [line for line in guide.splitlines() if line.startswith("> ")][:-1]
    assert 10 < len(rule) < 25
