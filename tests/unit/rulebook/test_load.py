"""Folders and packages become sources; sources become one rulebook."""

import os
from importlib import resources

import pytest

from doctor.errors import RuleError
from doctor.rulebook import RuleSource, load_rulebook, read_source, sources
from doctor.rulebook.sources import MOST_BYTES

MAPPING = "format: doctor/1\nmapping: a.{}\nowner: o\nreason: r\nvalues: {{A: B}}\n"


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("b/2.yaml", "b/1.yml", "c.yaml", "a.yaml", ".hidden/x.yaml", ".x.yaml", "d.txt"):
        (tmp_path / name).write_text(name)
    os.mkfifo(tmp_path / "pipe.yaml")
    source = read_source("pack", tmp_path, builtin=True)
    assert source == RuleSource(
        "pack",
        (
            ("pack/a.yaml", b"a.yaml"),
            ("pack/b/1.yml", b"b/1.yml"),
            ("pack/b/2.yaml", b"b/2.yaml"),
            ("pack/c.yaml", b"c.yaml"),
        ),
        builtin=True,
    )
    assert read_source("pack", tmp_path, label="over/there").files[0][0] == "over/there/a.yaml"


def test_a_single_file_is_a_source_whatever_its_name(tmp_path):
    file = tmp_path / "rules.txt"
    file.write_text(MAPPING.format("b"))
    source = read_source("mine", file, label=str(file))
    assert source == RuleSource("mine", ((str(file), file.read_bytes()),))
    assert load_rulebook([source]).rulebook.mappings[0].origin == f"{file}:2"


def test_the_resources_of_a_package_are_a_source(tmp_path, monkeypatch):
    package = tmp_path / "some_pack"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.yaml").write_text("# nothing")
    monkeypatch.syspath_prepend(tmp_path)
    source = read_source("some_pack", resources.files("some_pack"))
    assert source.files == (("some_pack/a.yaml", b"# nothing"),)


def test_a_long_file_is_read_only_as_far_as_is_needed_to_refuse_it(tmp_path):
    with (tmp_path / "big.yaml").open("wb") as stream:
        stream.truncate(1 << 34)
    source = read_source("pack", tmp_path)
    assert len(source.files[0][1]) == MOST_BYTES + 1
    with pytest.raises(RuleError, match="the file is longer than 1048576 bytes"):
        load_rulebook([source])


def test_what_cannot_be_read_is_a_rule_error(tmp_path):
    with pytest.raises(RuleError) as caught:
        read_source("pack", tmp_path / "nowhere", label="here/nowhere")
    assert str(caught.value) == "here/nowhere: rules cannot be read: No such file or directory"


def test_folders_in_a_circle_end(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(RuleError, match="folders nested deeper than 32 levels"):
        read_source("pack", tmp_path)


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.yaml").touch()
    with pytest.raises(RuleError, match="more than 3 rule files"):
        read_source("pack", tmp_path)


def test_sources_keep_their_order_and_permuting_them_changes_nothing_else():
    sources = [
        RuleSource(name, ((f"{name}.yaml", MAPPING.format(name)),))
        for name in ("one", "two", "three")
    ]
    forward = load_rulebook(sources).rulebook.mappings
    backward = load_rulebook(sources[::-1]).rulebook.mappings
    assert forward == backward[::-1]
    assert [one.column for one in forward] == ["one", "two", "three"]


def test_nothing_is_loaded_from_sources_of_which_one_is_broken():
    good = RuleSource("good", (("good.yaml", MAPPING.format("b")),))
    with pytest.raises(RuleError, match=r"bad\.yaml:1:1"):
        load_rulebook([good, RuleSource("bad", (("bad.yaml", "[]"),))])
