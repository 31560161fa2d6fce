"""What an automaton on disk points at, RE2 confirms: the same facts as line by line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.registry import load_registry
from doctor.rulebook import automaton, candidates
from doctor.rulebook.book import load_book
from doctor.rulebook.signatures import SignatureSet
from tests.support.paths import CORPUS
from tests.unit.rulebook.test_block_matcher import SIGNATURES, TEXTS

PATTERNS = [one.pattern for one in SIGNATURES]
LINES = st.one_of(
    st.sampled_from(TEXTS),
    st.text(st.sampled_from("aXé kK\u212a\u017f\r\t[']:HTTPError404done"), max_size=40),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(autouse=True)
def cache(folder, monkeypatch):
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(folder))


@pytest.fixture(scope="module")
def kept(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCTOR_CACHE_DIR", str(folder))
        candidates.keep(PATTERNS)
        found = SignatureSet(SIGNATURES, remembers=True)
        assert found._candidates is not None
    return found


@given(st.lists(LINES, max_size=12))
@settings(max_examples=400, deadline=None)
def test_many_lines_fit_what_each_fits_alone(kept, lines):
    alone = SignatureSet(SIGNATURES)
    assert list(kept.match_lines(lines)) == [alone.match_line(one) for one in lines]


def test_each_line_of_a_list_gets_its_own_candidates(kept):
    numbers = kept._candidates.of([b"nothing", b"ERROR HTTPError: 404", b"", b"WARN done"])
    always = PATTERNS.index("a|")
    assert [len(one) for one in numbers] == [1, 3, 1, 4]
    assert all(always in one for one in numbers)


def test_a_line_break_inside_a_text_is_read_as_before(kept):
    lines = ["x\nERROR", "ERROR\n", "done"]
    assert list(kept.match_lines(lines)) == [kept.match_line(one) for one in lines]


def test_nothing_is_kept_for_little_text_and_once_for_much(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path))
    little = SignatureSet(SIGNATURES, remembers=True)
    list(little.match_lines(["done"]))
    little.remember()
    assert not list(tmp_path.rglob("*.bin"))
    forgetful = SignatureSet(SIGNATURES)
    much = SignatureSet(SIGNATURES, remembers=True)
    for one in (forgetful, much):
        list(one.match_lines(["x" * 1000] * 300))
        one.remember()
    assert len(list(tmp_path.rglob("*.bin"))) == 1
    assert SignatureSet(SIGNATURES, remembers=True)._candidates is not None
    assert SignatureSet(SIGNATURES[1:], remembers=True)._candidates is None


def test_what_is_damaged_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path))
    candidates.keep(PATTERNS)
    [place] = tmp_path.rglob("*.bin")
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(data)
    assert candidates.find(PATTERNS) is None


def test_without_the_engine_re2_does_the_work(monkeypatch):
    monkeypatch.setattr(automaton, "_engine", lambda: None)
    one = SignatureSet(SIGNATURES, remembers=True)
    assert list(one.match_lines(["ERROR"])) == [one.match_line("ERROR")]
    candidates.keep(PATTERNS)


def test_only_the_newest_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCTOR_CACHE_DIR", str(tmp_path))
    for number in range(automaton._MOST + 2):
        candidates.keep([f"number {number}"])
    assert len(list(tmp_path.rglob("*.bin"))) == automaton._MOST
    assert candidates.find(["number 0"]) is None
    assert candidates.find([f"number {automaton._MOST + 1}"]) is not None


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the corpus is not at {CORPUS}")
@pytest.mark.slow
def test_built_in_signatures_find_the_same_in_real_logs():
    signatures = load_book(load_registry(), ()).signatures
    candidates.keep([one.pattern for one in signatures])
    quick, reference = SignatureSet(signatures, remembers=True), SignatureSet(signatures)
    assert quick._candidates is not None
    found = 0
    for log in sorted((CORPUS / "logs").glob("*.log"))[:12]:
        lines = log.read_bytes().decode("utf-8", "replace").splitlines()[:2000]
        expected = [reference.match_line(one) for one in lines]
        assert list(quick.match_lines(lines)) == expected
        found += sum(map(bool, expected))
    assert found > 300
