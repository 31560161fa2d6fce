"""Rules that were read once are not read again; a broken pack takes no other one down."""

import json
import stat
from datetime import date
from pathlib import Path

import pytest

from doctor.errors import RuleError, UsageError
from doctor.model.evidence import FactField, FactKind, Gap
from doctor.registry import Pack, Registry
from doctor.rulebook import cache as cache_module
from doctor.rulebook.authoring import read_book, read_folder
from doctor.rulebook.book import load_book
from doctor.rulebook.cache import RuleCache, open_cache
from doctor.rulebook.codec import rulebook_from_json, rulebook_to_json
from tests.unit.rulebook.test_overrides import OVERRIDE
from tests.unit.rulebook.test_rule_grammar import EVERYTHING, OTHERS

RULE = """\
format: doctor/1
rule: {name}.bad
code: {code}
revision: 3
title: t
status: stable
level: high
owner: o
retryable: false
match: {{bad: {{kind: db.bad}}, condition: bad}}
exceptions:
  known_future_value: {{selection: bad, fields: [value]}}
diagnosis: {{cause: c, message: m, hint: h}}
explanation: {{what: w, why: y}}
tests: [{{name: n, given: {{}}, expect: {{verdict: no_match}}}}]
"""
SIGNATURE = """\
format: doctor/1
signatures:
  - kind: log.bad
    pattern: 'bad (?P<n>\\d+)'
    fields: {n: int}
    tests: [bad 1]
    symptom: {class: bad, retryable: true, wait: 5s}
---
format: doctor/1
mapping: runs.state
owner: o
reason: r
values: {A: B}
"""


class Probe:
    name = "db.bad"
    kinds = (FactKind("db.bad", "t", (FactField("value"), FactField("version", required=False))),)


def registry(*packs):
    return Registry((Probe(),), (), tuple(packs), ())  # type: ignore[arg-type]


def pack(folder, name, code="AB001", text=None):
    path = folder / name
    path.mkdir(exist_ok=True)
    (path / "r.yaml").write_text(text or RULE.format(name=name, code=code))
    return Pack(name, path)


@pytest.fixture
def cache(tmp_path):
    return RuleCache(tmp_path / "cache")


def ids(book):
    return [one.id for one in book.rules]


def test_what_is_kept_is_what_was_read_but_for_tests_and_explanations(tmp_path, cache):
    (tmp_path / "all.yaml").write_text(EVERYTHING)
    (tmp_path / "others.yaml").write_text(f"{OTHERS}---\n{SIGNATURE}---\n{OVERRIDE}")
    from doctor.rulebook import RuleSource, load_rulebook

    files = tuple((one.name, one.read_text()) for one in sorted(tmp_path.glob("*.yaml")))
    book = load_rulebook([RuleSource("t", files)]).rulebook
    again = rulebook_from_json(json.loads(json.dumps(rulebook_to_json(book))))
    assert rulebook_to_json(again) == rulebook_to_json(book)
    assert (again.signatures, again.mappings, again.overrides) == (
        book.signatures,
        book.mappings,
        book.overrides,
    )
    for one, other in zip(again.rules, book.rules, strict=True):
        left = {"tests", "explanation"}
        names = [name for name in one.__slots__ if name not in left]
        assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]


def test_the_second_reading_is_the_first(tmp_path, cache):
    known = registry(pack(tmp_path, "one"), pack(tmp_path, "two", "AB002", SIGNATURE))
    first, second = load_book(known, cache=cache), load_book(known, cache=cache)
    assert ids(first) == ids(second) == ["one.bad"]
    assert second.signatures == first.signatures
    assert (second.catalogue, second.mappings) == (first.catalogue, first.mappings)
    assert second.rules[0].tests == ()
    assert first.rules[0].tests != ()


def test_a_changed_file_or_plugin_is_read_again(tmp_path, cache):
    known = registry(pack(tmp_path, "one"))
    load_book(known, cache=cache)
    pack(tmp_path, "one", text=RULE.format(name="other", code="AB009"))
    assert ids(load_book(known, cache=cache)) == ["other.bad"]
    books = list((tmp_path / "cache" / "books").iterdir())
    load_book(Registry((*known.probes, *known.probes), (), known.packs, ()), cache=cache)
    assert len(list((tmp_path / "cache" / "books").iterdir())) == len(books) + 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: b"",
        lambda text: text[:-10],
        lambda text: text.replace(b"one.bad", b"two.bad"),
        lambda text: b"{}",
        lambda text: cache_module._checksum(b"[]") + b"\n[]",
        lambda text: cache_module._checksum(b"[[[1]],[],[],[]]") + b"\n[[[1]],[],[],[]]",
        lambda text: cache_module._checksum(b"\xff") + b"\n\xff",
    ],
)
def test_a_damaged_entry_is_read_again_and_replaced(tmp_path, cache, damage):
    known = registry(pack(tmp_path, "one"))
    load_book(known, cache=cache)
    (entry,) = (tmp_path / "cache" / "books").iterdir()
    good = entry.read_bytes()
    entry.write_bytes(damage(good))
    assert ids(load_book(known, cache=cache)) == ["one.bad"]
    assert entry.read_bytes() == good


def test_where_nothing_can_be_kept_rules_are_read_each_time(tmp_path):
    (tmp_path / "file").touch()
    known = registry(pack(tmp_path, "one"))
    for cache in (RuleCache(tmp_path / "file"), RuleCache(None)):
        assert ids(load_book(known, cache=cache)) == ["one.bad"]
        assert ids(load_book(known, cache=cache)) == ["one.bad"]
        assert cache.find_good(read_source_of(known)) is None


def read_source_of(known):
    from doctor.rulebook import read_source

    return read_source(known.packs[0].name, known.packs[0].folder)


def test_a_full_disk_leaves_no_half_entry(tmp_path, cache, monkeypatch):
    def full(self, target):
        raise OSError(28, "no space")

    monkeypatch.setattr(Path, "replace", full)
    assert ids(load_book(registry(pack(tmp_path, "one")), cache=cache)) == ["one.bad"]
    assert not any(one.is_file() for one in (tmp_path / "cache").rglob("*"))


def test_entries_are_private_and_few(tmp_path, cache):
    for number in range(cache_module.MOST_BOOKS + 3):
        load_book(registry(pack(tmp_path, "one", f"AB{number:03}")), cache=cache)
    entries = list((tmp_path / "cache" / "books").iterdir())
    assert len(entries) == cache_module.MOST_BOOKS
    assert {stat.S_IMODE(one.stat().st_mode) for one in entries} == {0o600}


def test_the_cache_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path / "named"))
    open_cache().keep_good(read_source_of(registry(pack(tmp_path, "one"))))
    assert len(list((tmp_path / "named" / "rules" / "packs").iterdir())) == 1
    monkeypatch.delenv("DOCTOR_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    open_cache().keep_good(read_source_of(registry(pack(tmp_path, "one"))))
    assert len(list((tmp_path / "home").rglob("*.json"))) == 1


BROKEN = "format: doctor/1\nrule: one.bad\ncode: AB001\n"


def test_the_last_good_version_of_a_broken_pack_stays_in_force_and_the_breakage_is_a_gap(
    tmp_path, cache
):
    known = registry(pack(tmp_path, "one"), pack(tmp_path, "two", "AB002"))
    load_book(known, cache=cache)
    pack(tmp_path, "one", text=BROKEN)
    book = load_book(known, cache=cache)
    assert ids(book) == ["one.bad", "two.bad"]
    (gap,) = book.gaps
    assert gap.probe == "rules one"
    assert gap.reason.startswith("one/r.yaml:1:1: rule needs the key 'revision' (and ")
    assert gap.reason.endswith("its last good version is in force")


def test_a_pack_that_never_was_good_brings_nothing_and_silences_no_other(tmp_path, cache):
    known = registry(pack(tmp_path, "one", text=BROKEN), pack(tmp_path, "two", "AB002"))
    book = load_book(known, cache=cache)
    assert ids(book) == ["two.bad"]
    assert book.gaps == (
        Gap("rules one", book.gaps[0].reason.rpartition(";")[0] + "; its wrong files are left out"),
    )


def test_a_pack_that_clashes_with_another_one_is_the_broken_one(tmp_path, cache):
    known = registry(pack(tmp_path, "one"), pack(tmp_path, "two", "AB001"))
    book = load_book(known, cache=cache)
    assert ids(book) == ["one.bad"]
    assert "code 'AB001' is already used at one/r.yaml:3:7" in book.gaps[0].reason


def test_a_last_good_version_that_fits_no_more_is_left_out_too(tmp_path, cache):
    known = registry(pack(tmp_path, "one"))
    load_book(known, cache=cache)
    pack(tmp_path, "one", text=BROKEN)
    without_probe = Registry((), (), known.packs, ())
    book = load_book(without_probe, cache=cache)
    assert ids(book) == []
    assert len(book.gaps) == 1


def test_a_damaged_last_good_version_is_as_good_as_none(tmp_path, cache):
    known = registry(pack(tmp_path, "one"))
    load_book(known, cache=cache)
    (entry,) = (tmp_path / "cache" / "packs").iterdir()
    entry.write_bytes(cache_module._checksum(b"[1]") + b"\n[1]")
    pack(tmp_path, "one", text=BROKEN)
    assert ids(load_book(known, cache=cache)) == []


def test_a_pack_with_an_impossible_override_is_broken_and_one_with_an_old_override_is_not(
    tmp_path, cache
):
    override = OVERRIDE.replace("db.bad-value", "one.bad").partition("replace")[0]
    wrong = override.replace("[PAUSED, 2.4], [HELD, 3.0]", "[1]")
    right = override.replace("[PAUSED, 2.4], [HELD, 3.0]", "[PAUSED]")
    known = registry(pack(tmp_path, "one"), pack(tmp_path, "two", text=wrong))
    book = load_book(known, cache=cache, today=date(2026, 1, 1))
    assert "field 'value' is a str, it never equals 1" in book.gaps[0].reason
    pack(tmp_path, "two", text=right)
    book = load_book(known, cache=cache, today=date(2026, 1, 1))
    assert book.rules[0].exceptions[0].values == (("PAUSED",),)
    for _ in range(2):
        book = load_book(known, cache=cache, today=date(2028, 1, 1))
        assert book.rules[0].exceptions[0].values == ()
        assert [one.message for one in book.warnings] == [
            "override 'one.bad' of 'team-billing' (BILL-412) expired on 2027-01-31"
        ]
    with pytest.raises(RuleError, match="never equals 1"):
        pack(tmp_path, "two", text=wrong)
        read_book(known, today=date(2026, 1, 1))


def test_rules_that_were_named_by_hand_must_have_no_mistake(tmp_path, cache):
    known, folder = registry(pack(tmp_path, "one")), tmp_path / "mine"
    folder.mkdir()
    (folder / "m.yaml").write_text(BROKEN)
    with pytest.raises(RuleError):
        load_book(known, (str(folder),), strict=True, cache=cache)
    assert len(load_book(known, (str(folder),), cache=cache).gaps) == 1
    with pytest.raises(UsageError, match="there are no rules at"):
        load_book(known, (str(tmp_path / "none"),), cache=cache)


def test_a_file_that_is_named_twice_counts_once(tmp_path, cache):
    one = pack(tmp_path, "one")
    link = tmp_path / "link"
    link.symlink_to(one.folder)
    paths = (str(one.folder), str(link), str(tmp_path / "one" / "r.yaml"))
    assert ids(load_book(registry(one), paths, strict=True, cache=cache)) == ["one.bad"]


def test_a_folder_can_be_read_alone_beside_what_is_installed(tmp_path):
    known = registry(pack(tmp_path, "one"), pack(tmp_path, "two", text=SIGNATURE))
    copy = pack(tmp_path, "copy", text=RULE.format(name="one", code="AB001"))
    book = read_folder(known, (), str(copy.folder))
    assert ids(book) == ["one.bad"]
    assert "log.bad" in book.catalogue
    with pytest.raises(RuleError):
        read_folder(known, (), str(pack(tmp_path, "bad", text=BROKEN).folder))
    with pytest.raises(RuleError, match="unknown fact kind 'db.bda'"):
        text = RULE.format(name="one", code="AB001").replace("db.bad", "db.bda")
        read_folder(known, (), str(pack(tmp_path, "bad", text=text).folder))


def test_the_book_knows_its_rules_by_id_and_code(tmp_path, cache):
    book = load_book(registry(pack(tmp_path, "one")), cache=cache)
    assert book.rule("AB001") is book.rule("one.bad")
    with pytest.raises(UsageError) as caught:
        book.rule("one.bda")
    assert caught.value.hint == "did you mean 'one.bad'?"
    with pytest.raises(UsageError) as caught:
        book.rule("?")
    assert caught.value.hint == "doctor rules list"
