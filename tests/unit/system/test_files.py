from __future__ import annotations

import pytest

from doctor.errors import UsageError
from doctor.system.files import FILE_CAP, find_logs


@pytest.fixture
def folder(tmp_path):
    for name in ("r1.log", "r1-retry.log", "r2.log", "r[1].log", "notes.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "r1.log").write_text("x")
    return tmp_path


def names(folder, patterns, run):
    return [
        str(one.path.relative_to(folder))
        for one in find_logs([str(folder / pattern) for pattern in patterns], run)
    ]


@pytest.mark.parametrize(
    ("patterns", "run", "found"),
    [
        (["{run_id}*.log"], "r1", ["r1-retry.log", "r1.log"]),
        (["{run_id}*.log"], "r2", ["r2.log"]),
        (["{run_id}.log"], None, ["r1-retry.log", "r1.log", "r2.log", "r[1].log"]),
        (["r2.log"], "r1", ["r2.log"]),
        (["r2.log", "*.log", "r1.log"], "x", ["r2.log", "r1-retry.log", "r1.log", "r[1].log"]),
        (["**/r1.log"], "x", ["deep/r1.log", "r1.log"]),
        (["*.nothing"], "r1", []),
        (["dee*"], "r1", []),
        ([], "r1", []),
        (["r[1].log"], "x", ["r[1].log"]),
        (["r[12].log"], "x", ["r1.log", "r2.log"]),
        (["r[[]1].log"], "x", ["r[1].log"]),
    ],
)
def test_patterns_name_files_in_order_and_once(folder, patterns, run, found):
    assert names(folder, patterns, run) == found


@pytest.mark.parametrize(
    "run", ["*", "r?", "r[12]", "../r1", "..", ".", "", "a\\b", "r1\0", "\udc80"]
)
def test_a_run_id_is_never_a_pattern_or_a_way_out(folder, run):
    (folder / "deep" / "logs").mkdir()
    assert names(folder, ["deep/{run_id}.log"], run) == []
    assert names(folder, ["{run_id}*.log"], run) == []


def test_a_run_id_with_wildcards_finds_its_own_file(folder):
    assert names(folder, ["{run_id}.log"], "r[1]") == ["r[1].log"]


@pytest.mark.parametrize("name", ["none.log", "deep"])
def test_a_file_that_was_named_must_be_there(folder, name):
    with pytest.raises(UsageError) as caught:
        names(folder, [name], "r1")
    assert str(caught.value) == f"there is no log file {str(folder / name)!r}"


def test_a_named_file_below_an_escaped_folder_must_be_there(folder):
    with pytest.raises(UsageError, match=r"there is no log file '.*\[x\]/none\.log'"):
        find_logs([str(folder / "[[]x]" / "none.log")], "r1")


def test_more_files_than_the_cap_are_left_out(tmp_path):
    for number in range(FILE_CAP + 5):
        (tmp_path / f"{number:04}.log").write_text("")
    found = find_logs([str(tmp_path / "*.log")], None)
    assert [one.path.name for one in found] == [f"{number:04}.log" for number in range(FILE_CAP)]
