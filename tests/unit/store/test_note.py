from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from filelock import FileLock

from doctor.errors import SourceError, UsageError
from doctor.store import (
    Pause,
    StoreChoice,
    TargetNote,
    note_choice,
    pause,
    paused,
    read_note,
    resolve_store,
    resume,
)
from doctor.store import note as note_module
from doctor.store.files import write_whole
from doctor.store.note import note_path, note_store

TARGET = "sqlite:/app.db"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _paused_at(at):
    return json.dumps(
        {"target": TARGET, "store": None, "paused": {"at": at, "by": "", "reason": ""}}
    )


def test_the_default_store_is_keyed_by_the_target_and_reading_creates_nothing(state):
    choice = resolve_store(TARGET, None, None)
    assert choice.source == "default"
    assert choice.url.startswith(f"sqlite:///{state}/stores/")
    assert choice.url != resolve_store("sqlite:/other.db", None, None).url
    assert not state.exists()


def test_the_first_store_that_is_used_is_noted_and_used_without_naming_it(tmp_path):
    configured = f"sqlite:///{tmp_path}/a.db"
    choice = resolve_store(TARGET, None, configured)
    assert choice == StoreChoice(configured, "configured")
    assert not choice.noted
    note_choice(TARGET, choice)
    assert read_note(TARGET) == TargetNote(TARGET, configured, None)
    again = resolve_store(TARGET, None, None)
    assert again == StoreChoice(configured, "noted")
    assert again.noted
    assert resolve_store(TARGET, None, configured) == again


def test_a_configured_store_that_differs_from_the_noted_one_is_refused_naming_both(tmp_path):
    note_choice(TARGET, resolve_store(TARGET, None, f"sqlite:///{tmp_path}/a.db"))
    with pytest.raises(UsageError, match=r"b\.db.*a\.db") as refused:
        resolve_store(TARGET, None, f"sqlite:///{tmp_path}/b.db")
    assert refused.value.exit_code == 2


def test_a_store_named_by_hand_is_used_and_changes_no_note(tmp_path, state):
    explicit = f"sqlite:///{tmp_path}/mine.db"
    choice = resolve_store(TARGET, explicit, f"sqlite:///{tmp_path}/a.db")
    assert choice == StoreChoice(explicit, "explicit")
    note_choice(TARGET, choice)
    assert not state.exists()
    note_choice(TARGET, resolve_store(TARGET, None, None))
    assert resolve_store(TARGET, explicit, None) == choice


def test_a_store_means_the_same_in_every_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = "sqlite:///a b%3Fc.db"
    choice = resolve_store(TARGET, None, odd)
    note_choice(TARGET, choice)
    assert resolve_store(TARGET, None, odd).noted
    monkeypatch.chdir("/")
    assert resolve_store(TARGET, None, None).url == choice.url


def test_passwords_of_stores_are_never_shown():
    note_choice(TARGET, StoreChoice("postgresql://u:s3cret@h/a", "configured"))
    with pytest.raises(UsageError) as refused:
        resolve_store(TARGET, None, "postgresql://u:other1@h/b")
    shown = f"{refused.value} {refused.value.hint}"
    assert "s3cret" not in shown
    assert "other1" not in shown


def test_of_two_stores_that_are_noted_at_once_the_second_is_refused(tmp_path):
    first = resolve_store(TARGET, None, f"sqlite:///{tmp_path}/a.db")
    second = resolve_store(TARGET, None, f"sqlite:///{tmp_path}/b.db")
    note_choice(TARGET, first)
    note_choice(TARGET, first)
    with pytest.raises(UsageError, match="is not the one that remembers"):
        note_choice(TARGET, second)


def test_processes_that_note_different_stores_agree_on_one(tmp_path, together):
    script = (
        "from doctor.store import *\nfrom doctor.errors import UsageError\n# gate\n"
        "try:\n    note_choice('t', resolve_store('t', None, sys.argv[1]))\n    print('noted')\n"
        "except UsageError:\n    print('refused')\n"
    )
    urls = [f"sqlite:///{tmp_path}/{number}.db" for number in range(4)]
    answers = together(script, [[url] for url in urls])
    assert sorted(answers) == ["noted\n", "refused\n", "refused\n", "refused\n"]
    note = read_note("t")
    assert note
    assert note.store == urls[answers.index("noted\n")]


def test_a_pause_binds_whatever_store_is_used_and_the_first_one_stands():
    assert paused(TARGET) is None
    first = pause(TARGET, "ann", "migration", NOON)
    assert first == Pause(NOON, "ann", "migration")
    assert pause(TARGET, "bob", "too", NOON) == first
    assert paused(TARGET) == first
    note_store(TARGET, "sqlite:////s.db")
    assert paused(TARGET) == first
    assert paused("sqlite:/other.db") is None
    assert resume(TARGET) == first
    assert resume(TARGET) is None
    assert read_note(TARGET) == TargetNote(TARGET, "sqlite:////s.db", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"target": "other", "store": null, "paused": null}',
        '{"target": 1, "store": null, "paused": null}',
        '{"target": "sqlite:/app.db", "store": 3, "paused": null}',
        '{"target": "sqlite:/app.db", "store": null}',
        '{"target": "sqlite:/app.db", "store": null, "paused": true}',
        '{"target": "sqlite:/app.db", "store": null, "paused": {"at": "x", "by": "b"}}',
        _paused_at("noon"),
        _paused_at("2026-01-01"),
    ],
)
def test_a_damaged_note_is_a_clear_error_for_readers_and_writers(text):
    path = note_path(TARGET)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    for call in (lambda: resolve_store(TARGET, None, None), lambda: resume(TARGET)):
        with pytest.raises(UsageError, match="is damaged") as refused:
            call()
        assert str(path) in str(refused.value)
    assert path.read_text() == text


def test_a_note_that_cannot_be_read_is_a_clear_error():
    path = note_path(TARGET)
    path.mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        paused(TARGET)
    path.rmdir()
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="cannot be read"):
        paused(TARGET)


def test_a_state_folder_that_cannot_be_written_is_a_clear_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DOCTOR_STATE_DIR", str(tmp_path / "file"))
    assert paused(TARGET) is None
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        pause(TARGET, "ann", "x", NOON)


def test_a_note_that_somebody_else_is_writing_is_waited_for_within_bounds(monkeypatch):
    monkeypatch.setattr(note_module, "_PATIENCE", 0.01)
    path = note_path(TARGET)
    path.parent.mkdir(parents=True)
    with (
        FileLock(path.with_suffix(".lock")),
        pytest.raises(SourceError, match="is locked by another doctor"),
    ):
        pause(TARGET, "ann", "x", NOON)


def test_a_note_is_replaced_whole_or_not_at_all(monkeypatch, tmp_path):
    pause(TARGET, "ann", "x", NOON)
    before = note_path(TARGET).read_text()
    with pytest.raises(UnicodeEncodeError):
        write_whole(note_path(TARGET), "\udc80", durable=True)
    assert note_path(TARGET).read_text() == before
    assert json.loads(before)["paused"]["by"] == "ann"
    assert sorted(path.suffix for path in note_path(TARGET).parent.iterdir()) == [".json", ".lock"]
