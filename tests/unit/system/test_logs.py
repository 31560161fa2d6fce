from __future__ import annotations

import codecs
import os
import random
import time
import tracemalloc
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doctor.errors import SourceError
from doctor.model.ports import LogLine
from doctor.system.logs import FileLog
from tests.support.paths import CORPUS

LOGS = CORPUS / "logs"
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
}
TEXT = "2026-01-02 03:04:05 ERROR ✗ größer 中文 ਪੰਜਾਬੀ Ċ"


def texts(path: Path) -> list[str]:
    return [line.text for line in FileLog(path).lines()]


def log(folder: Path, content: bytes) -> Path:
    path = folder / "a.log"
    path.write_bytes(content)
    return path


def test_lines_have_numbers_times_and_an_order(tmp_path):
    path = log(tmp_path, b"2026-01-02T03:04:05Z a\n  b\n2026-01-02T03:04:07.5Z c\n")
    first = datetime.fromisoformat("2026-01-02T03:04:05Z")
    assert list(FileLog(path).lines()) == [
        LogLine(1, "2026-01-02T03:04:05Z a", first, 0.0),
        LogLine(2, "  b", first, 0.0),
        LogLine(
            3, "2026-01-02T03:04:07.5Z c", datetime.fromisoformat("2026-01-02T03:04:07.5Z"), 2.5
        ),
    ]


def test_a_log_can_be_read_again_after_it_grew(tmp_path):
    path = log(tmp_path, b"a\n")
    one = FileLog(path)
    assert [line.text for line in one.lines()] == ["a"]
    path.write_bytes(b"a\nb\n")
    assert [line.text for line in one.lines()] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"a", ["a"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"\r\n\r\n", ["", ""]),
        (b"a\n\nb\n", ["a", "", "b"]),
        (b"\x1b[31mred\x1b[0m\n", ["\x1b[31mred\x1b[0m"]),
        (b"caf\xe9 is latin\n", ["caf\ufffd is latin"]),
        (
            b"a lone \x00 in a long enough line of text\n",
            ["a lone \ufffd in a long enough line of text"],
        ),
    ],
)
def test_bytes_become_lines(tmp_path, content, lines):
    assert texts(log(tmp_path, content)) == lines


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("is_marked", [True, False])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_every_encoding_reads_the_same(tmp_path, encoding, is_marked, newline, end):
    lines = [TEXT, "", "plain ascii after it", TEXT]
    mark = MARKS[encoding] if is_marked else b""
    content = mark + (newline.join(lines) + end).encode(encoding)
    assert texts(log(tmp_path, content)) == lines


LETTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\ufeff\ufffe\r\n")


@pytest.mark.parametrize("encoding", MARKS)
@given(lines=st.lists(st.text(LETTERS, max_size=30), min_size=1, max_size=6))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_marked_text_comes_back_as_it_was_written(tmp_path, encoding, lines):
    content = MARKS[encoding] + "".join(f"{one}\n" for one in lines).encode(encoding)
    assert texts(log(tmp_path, content)) == lines


@pytest.mark.parametrize("encoding", MARKS)
@given(lines=st.lists(st.text(LETTERS, max_size=8), min_size=1, max_size=6))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_unmarked_text_with_time_stamps_comes_back_as_it_was_written(tmp_path, encoding, lines):
    stamped = [f"2026-01-02 03:04:05,678 INFO {one}" for one in lines]
    content = "".join(f"{one}\n" for one in stamped).encode(encoding)
    assert texts(log(tmp_path, content)) == stamped


@pytest.mark.parametrize("wide", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("short", ["", "ok", "odd"])
def test_a_file_may_change_its_encoding_between_lines(tmp_path, wide, mark, short):
    narrow = f"{short}\nwritten by a tool in UTF-8: ü\n"
    wider = f"{TEXT}\r\nsecond line\r\n"
    content = narrow.encode() + (MARKS[wide] if mark else b"") + wider.encode(wide)
    content += narrow.encode() + wider.encode(wide) + b"the end in UTF-8\n"
    expected = [*narrow.splitlines(), *wider.splitlines()] * 2 + ["the end in UTF-8"]
    assert texts(log(tmp_path, content)) == expected


@pytest.mark.parametrize("wide", ["utf-16-le", "utf-16-be"])
def test_a_last_word_in_another_encoding_is_read(tmp_path, wide):
    content = MARKS[wide] + "one line\n".encode(wide) + b"end"
    assert texts(log(tmp_path, content)) == ["one line", "end"]


@pytest.mark.parametrize("wide", ["utf-16-le", "utf-16-be"])
def test_a_word_between_two_wide_lines_does_not_swallow_the_rest(tmp_path, wide):
    one, two = "first line\n".encode(wide), "second line\nthird line\n".encode(wide)
    expected = ["first line", "ok", "second line", "third line"]
    assert texts(log(tmp_path, one + b"ok\n" + two)) == expected


def test_half_a_character_at_the_end_is_left_out(tmp_path):
    content = MARKS["utf-16-le"] + "ab\ncd".encode("utf-16-le") + b"e"
    assert texts(log(tmp_path, content)) == ["ab", "cd"]


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8,
        b"SQLite format 3\x00" + b"\x00" * 500,
        b"\x00" * 5000,
        random.Random(7).randbytes(8192),
        random.Random(8).randbytes(100_000),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content):
    path = log(tmp_path, content)
    with pytest.raises(SourceError) as caught:
        texts(path)
    assert str(caught.value) == f"{path} is not a text file"


def test_a_log_in_an_eight_bit_encoding_is_text(tmp_path):
    line = "2026 ошибка соединения"
    content = f"{line}\n".encode("cp1251") * 50
    assert len(texts(log(tmp_path, content))) == 50


def test_what_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(SourceError) as caught:
        texts(tmp_path / "none.log")
    assert str(caught.value) == f"{tmp_path / 'none.log'} cannot be read: No such file or directory"
    with pytest.raises(SourceError, match="cannot be read: Is a directory"):
        texts(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_says_so(tmp_path):
    path = log(tmp_path, b"a\n")
    path.chmod(0)
    with pytest.raises(SourceError, match="Permission denied"):
        texts(path)


@pytest.mark.parametrize("encoding", MARKS)
def test_a_line_of_30_megabytes_is_cut_and_costs_little_memory(tmp_path, encoding):
    path = tmp_path / "a.log"
    with path.open("wb") as stream:
        stream.write("before\n".encode(encoding))
        for _ in range(30):
            stream.write(("x" * (1 << 20)).encode(encoding))
        stream.write("\nafter\n".encode(encoding))
    tracemalloc.start()
    try:
        first, long, last = texts(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    cut = 65_536 if encoding == "utf-8" else 32_768
    assert (first, set(long), last) == ("before", {"x"}, "after")
    assert cut - 1 <= len(long) <= cut
    assert peak < 8 << 20


def test_lines_across_the_blocks_of_reading_are_whole(tmp_path):
    lines = [f"{number:06} {'y' * 93}" for number in range(25_000)]
    assert texts(log(tmp_path, "\n".join(lines).encode())) == lines
    assert texts(log(tmp_path, "\n".join(lines).encode("utf-16"))) == lines


def test_a_newline_at_the_very_end_of_a_block_ends_its_line(tmp_path):
    content = b"x" * 10 + b"\n" + b"y" * ((1 << 20) - 12) + b"\n" + b"last"
    assert [len(one) for one in texts(log(tmp_path, content))] == [10, 65_536, 4]
    wide = ("a" * ((1 << 19) - 2) + "\n").encode("utf-16") + "last\n".encode("utf-16-le")
    assert texts(log(tmp_path, wide)) == ["a" * 32_767, "last"]


def test_a_log_beyond_the_bytes_that_are_read_yields_its_start_and_says_so(tmp_path):
    path = log(tmp_path, b"0123456789abcde\n" * (3 << 16))
    found: list[str] = []
    with pytest.raises(SourceError) as caught:
        found.extend(line.text for line in FileLog(path, bytes_cap=1 << 20).lines())
    assert str(caught.value) == f"{path} was read for 2,097,152 bytes only: it is too long"
    assert set(found) == {"0123456789abcde"}
    assert len(found) == 2 << 16


def test_a_log_of_exactly_the_bytes_that_may_be_read_is_whole(tmp_path):
    path = log(tmp_path, b"0123456789abcde\n" * (1 << 16))
    assert len(list(FileLog(path, bytes_cap=1 << 20).lines())) == 1 << 16


def test_a_log_that_takes_too_long_yields_its_start_and_says_so(tmp_path):
    path = log(tmp_path, b"0123456789abcde\n" * (3 << 16))
    found: list[str] = []

    def slowly() -> None:
        for line in FileLog(path, seconds=0.2).lines():
            if not found:
                time.sleep(0.25)
            found.append(line.text)

    with pytest.raises(SourceError, match="1,048,576 bytes only: it is too long"):
        slowly()
    assert len(found) == 1 << 16


@pytest.mark.corpus
@pytest.mark.skipif(not LOGS.is_dir(), reason="the shared corpus is not here")
def test_every_log_of_the_corpus_decodes():
    paths = sorted(LOGS.iterdir())
    assert len(paths) > 50
    for path in paths:
        found = list(FileLog(path).lines())
        assert not any("\0" in line.text for line in found), path.name
        orders = [line.order for line in found]
        assert orders == sorted(orders), path.name
        wide = path.read_bytes()[:2] == codecs.BOM_UTF16_LE
        if wide:
            expected = path.read_bytes().decode("utf-16").split("\n")
            assert [line.text for line in found] == [
                one.rstrip("\r\n") for one in expected[: len(found)]
            ], path.name
