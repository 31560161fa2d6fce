"""Blocks of lines give the same hits as the reference gives line by line, whatever the engine."""

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.model.rule import Signature
from doctor.rulebook import automaton
from doctor.rulebook.block_matcher import BlockMatcher, match
from doctor.rulebook.signatures import SignatureSet
from tests.support.paths import CORPUS


def signature(pattern, kind, **fields):
    return Signature(kind, pattern, fields, (), (), "s.yaml:1")


SIGNATURES = (
    signature(
        r"HTTPError: (?P<status>[45]\d\d)\b.* for url: (?P<endpoint>\S+)",
        "http",
        status="int",
        endpoint="url_path",
    ),
    signature(r"HTTPError: (?P<status>\d+)", "http", status="int"),
    signature(r"(?i)\btask (?P<name>\w{1,20}) failed", "task", name="str"),
    signature(r"^(?P<level>ERROR|WARN)", "level", level="str"),
    signature(r"done$", "done"),
    signature(r"\bKeyError: '(?P<key>[^']{0,50})'", "key", key="str"),
    signature(r"größe .{2}x", "umlaut"),
    signature(r"(?i)straße|kilo", "folded"),
    signature(r"a|", "everything"),
    signature(r"took (?P<seconds>[0-9.]+) s", "took", seconds="float"),
    signature("\ufffd.b", "mojibake"),
    signature(r"x[^y]z", "between"),
    signature(r"done$", "done again"),
    signature(r"kilo (?P<count>\S+)", "counted", count="int"),
    signature(r"kilo (?P<word>\S{1,70})", "worded", word="str"),
)
TEXTS = [
    "ERROR HTTPError: 500 Server Error for url: http://h/runs/r1?x",
    "HTTPError: 404",
    "HTTPError: 99999999999999999999",
    "HTTPError: 503 x",
    "TASK build FAILED",
    "task é failed",
    "done",
    "done ",
    "all done",
    "KeyError: 'ä'",
    "KeyError: 'k'",
    "größe ab",
    "größe ééx",
    "STRASSE",
    "Straße",
    "STRAßE",
    "\u212aILO",
    "kilo",
    "tas\u212a k failed",
    "ta\u017fk x failed",
    "took 1.5 s",
    "took . s",
    "",
    " ",
    "\ufffdab",
    "xéz",
    "x\tz",
    "x世z",
    "WARN done",
    "kilo 12",
    "kilo twelve",
    "é" * 40 + " done",
]


def expected(signatures, data):
    reference, start, found = SignatureSet(signatures), 0, []
    for line in data.split(b"\n"):
        fields = match(reference, line)
        if fields:
            found.append((start, start + len(line), fields))
        start += len(line) + 1
    return found


def actual(matcher, data):
    return [
        (hit[0], hit[1], {one: matcher.fields(hit, one, data) for one in hit[2]})
        for hit in matcher.hits(data)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(folder, monkeypatch):
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="module")
def matchers():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCTOR_CACHE_DIR", os.devnull)
        made = [
            BlockMatcher(SIGNATURES, small=0),
            BlockMatcher([one for one in SIGNATURES if one.kind != "everything"], small=0),
            BlockMatcher(SIGNATURES, small=1 << 40),
        ]
        for one in made:
            one.hits(b"x\n")
    return made


raw = st.one_of(
    st.sampled_from(TEXTS).map(str.encode),
    st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(raw, raw, st.sampled_from([b"\n", b"\r\n", b" \n"])), max_size=8),
    st.booleans(),
)
def test_every_engine_gives_the_hits_of_the_reference(matchers, parts, ended):
    data = b"".join(b" ".join(part[:2]) + part[2] for part in parts)
    data = data if ended else data.rstrip(b"\n")
    for matcher in matchers:
        assert actual(matcher, data) == expected(matcher.signatures, data)


def test_hostile_lines_give_the_hits_of_the_reference(matchers):
    lines = [
        b"x" * 70_000 + b" kilo",
        b"kilo " + b"x" * 70_000,
        "é".encode() * 40_000 + b" kilo",
        b"\xff\xfekilo\xff",
        b"kilo" * 30_000,
        b"done\r\r",
        b"done\r \r",
        b"\x1b[31mERROR\x1b[0m",
        b"\x00\xff b",
        b"ERROR\x0bdone",
        b"x" * 65_532 + b"done and more",
        b"x" * 65_532 + b"done",
        b"x" * 65_533 + b"done",
        b"y" * 131_068 + b"done" + b"x" * 200_000,
    ]
    data = b"\n".join(lines)
    for matcher in matchers:
        assert actual(matcher, data) == expected(matcher.signatures, data)


@pytest.mark.corpus
def test_real_logs_give_the_hits_of_the_reference(matchers):
    if not CORPUS.is_dir():
        pytest.skip(f"the corpus is not at {CORPUS}")
    for log in sorted((CORPUS / "logs").iterdir()):
        data = log.read_bytes()[:100_000].replace(b"\0", b"")
        assert actual(matchers[1], data) == expected(matchers[1].signatures, data), log.name


def test_short_logs_do_not_load_the_engine(monkeypatch):
    monkeypatch.setattr(automaton, "_engine", lambda: pytest.fail("loaded"))
    matcher = BlockMatcher(SIGNATURES)
    assert len(matcher.hits(b"kilo\nnothing")) == 2


def test_automata_are_made_for_large_logs_only_and_used_wherever_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path))
    data = b"nothing here\n" * 100_000
    first = BlockMatcher(SIGNATURES)
    found = actual(first, data)
    assert list(tmp_path.rglob("*.bin")) == []
    assert BlockMatcher(SIGNATURES, small=0).hits(b"kilo\n")
    assert list(tmp_path.rglob("*.bin"))
    second = BlockMatcher(SIGNATURES)
    assert actual(second, data) == found
    assert ["_fast" in vars(one) for one in (first, second)] == [False, True]


def test_without_the_engine_the_hits_are_the_same(monkeypatch):
    monkeypatch.setattr(automaton, "_engine", lambda: None)
    matcher = BlockMatcher(SIGNATURES, small=0)
    data = "\n".join(TEXTS).encode()
    assert actual(matcher, data) == expected(SIGNATURES, data)
    assert BlockMatcher((), small=0).hits(b"kilo\n") == []


def built():
    found = automaton.build({0: b"abc", 3: b"d"})
    return found and (found.ends(b"xabcd"), sorted(found.left))


def test_the_automaton_is_compiled_once_and_then_read(cache, tmp_path, monkeypatch):
    pytest.importorskip("hyperscan")
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path))
    first = built()
    assert first == ([(4, 0), (5, 3)], [])
    (place,) = (tmp_path / "automata").iterdir()
    monkeypatch.setattr(automaton, "_compile", lambda *_: pytest.fail("compiled again"))
    assert built() == first
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: place.write_bytes(b""),
        lambda place: place.write_bytes(place.read_bytes()[:-1] + b"?"),
        lambda place: place.write_bytes(b"x" + place.read_bytes()),
        lambda place: place.write_bytes(place.read_bytes()[:80]),
        lambda place: place.chmod(0o666),
        lambda place: (place.unlink(), place.mkdir()),
    ],
    ids=["empty", "one byte", "no magic", "cut", "writable by others", "a folder"],
)
def test_what_is_damaged_or_foreign_is_compiled_anew(damage, tmp_path, monkeypatch):
    pytest.importorskip("hyperscan")
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path))
    first = built()
    (place,) = (tmp_path / "automata").iterdir()
    damage(place)
    assert built() == first
    assert built() == first


def test_a_cache_that_cannot_be_written_disturbs_nobody(tmp_path, monkeypatch):
    pytest.importorskip("hyperscan")
    file = tmp_path / "file"
    file.write_text("x")
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(file))
    assert built() == ([(4, 0), (5, 3)], [])


def test_patterns_that_the_engine_refuses_are_left_to_the_other(tmp_path, monkeypatch):
    pytest.importorskip("hyperscan")
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path))
    found = automaton.build({0: b"abc", 1: b"(?=x)", 2: b"d"})
    again = automaton.build({0: b"abc", 1: b"(?=x)", 2: b"d"})
    assert found is not None
    assert again is not None
    assert found.left == {1}
    assert again.left == {1}
    assert automaton.build({1: b"(?=x)"}) is None
    assert automaton.build({}) is None
    assert found.ends(b"") == []


def test_a_signature_that_the_engine_refuses_is_found_line_by_line(tmp_path, monkeypatch):
    pytest.importorskip("hyperscan")
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path))
    compile_all = automaton._compile
    monkeypatch.setattr(
        automaton,
        "_compile",
        lambda engine, patterns: (
            compile_all(engine, {min(patterns): patterns[min(patterns)]})[0],
            frozenset(patterns) - {min(patterns)},
        ),
    )
    matcher = BlockMatcher(SIGNATURES, small=0)
    data = "\n".join(TEXTS[:18]).encode()
    assert actual(matcher, data) == expected(SIGNATURES, data)


def test_the_cache_is_the_users_own_unless_said_otherwise(monkeypatch):
    monkeypatch.delenv("DOCTOR_CACHE_DIR")
    assert automaton.cache_folder().name == "doctor"
