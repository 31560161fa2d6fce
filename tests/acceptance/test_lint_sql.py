"""``doctor lint-sql`` on a whole tree: everything that was planted is found, and nothing else."""

from __future__ import annotations

import json

import pytest

from doctor.linting import lint_paths
from tests.acceptance.test_lint_sarif import checked
from tests.support.sql_tree import PLANTED, write_tree
from tests.support.terminal import run

FILES = 500


@pytest.mark.slow
def test_all_that_is_planted_in_500_files_is_found_and_the_clean_twin_is_clean(tmp_path):
    sick, clean = tmp_path / "sick", tmp_path / "clean"
    planted = write_tree(sick, FILES, every=3)
    write_tree(clean, FILES)
    found = lint_paths([sick])
    assert {(one.path, one.line): one.code for one in found.findings} == {
        place: one.code for place, one in planted.items()
    }
    assert {one.code for one in planted.values()} == {one.code for one in PLANTED}
    twin = lint_paths([clean])
    assert (twin.findings, twin.gaps, twin.exit_code) == ((), (), 0)
    assert twin.files == FILES + 1
    assert twin.statements == 3 * FILES // 2


def test_text_json_and_sarif_say_the_same(tmp_path, monkeypatch):
    planted = write_tree(tmp_path, 20, every=1)
    monkeypatch.chdir(tmp_path)
    human = run("lint-sql", ".")
    document = json.loads(run("lint-sql", ".", "--format", "json").out)
    results = checked(json.loads(run("lint-sql", ".", "--format", "sarif").out))
    assert human.code == document["exit_code"] == 3
    assert len(document["findings"]) == len(results) == len(planted) == 10
    for one, result in zip(document["findings"], results, strict=True):
        place = f"{one['file']}:{one['line']}:{one['column']}: {one['code']} {one['message']}"
        assert f"{place}\n  help: {one['hint']}" in human.out
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region == {"startLine": one["line"], "startColumn": one["column"]}
        assert result["ruleId"] == one["code"]


def test_a_code_can_be_left_out_and_nothing_known_is_no_clean_bill(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "a.py").write_text("c.execute(f\"DELETE FROM t WHERE a = '{b}'\")\n")
    assert run("lint-sql", "a.py").code == 3
    silent = run("lint-sql", "a.py", "--ignore", "LINT005")
    assert silent.code == 9
    assert "no models were found" in silent.out
    assert run("lint-sql", "nowhere").code == 2
