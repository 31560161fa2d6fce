"""Logs of any size and packing come as blocks of whole lines, within bounded memory."""

import gzip
import os
import threading
import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from doctor.errors import SourceError, UsageError
from doctor.system.blocks import BLOCK, Block, LogBytes
from doctor.system.logs import FileLog


def lines_of(path):
    """Return the lines with their numbers."""
    found = []
    for block in LogBytes(str(path)).blocks():
        start = 0
        for line in block.data.removesuffix(b"\n").split(b"\n"):
            found.append((block.number_at(start), line.decode("utf-8", "replace")))
            start += len(line) + 1
    return found


def written(tmp_path, data, name="x.log"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


TEXT = "".join(f"2025-01-01 10:00:{at % 60:02d} line {at} é\n" for at in range(20_000))
NUMBERED = list(enumerate(TEXT.split("\n")[:-1], start=1))


@pytest.mark.parametrize(
    "pack",
    [
        str.encode,
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-be"),
        lambda text: gzip.compress(text.encode()),
        lambda text: gzip.compress(text[:5].encode()) + gzip.compress(text[5:].encode()),
        lambda text: zstandard.compress(text.encode()),
        lambda text: zstandard.compress(text[:5].encode()) + zstandard.compress(text[5:].encode()),
        lambda text: text.replace("line", "\x1b[1;31mline\x1b[0m").encode(),
        lambda text: text.replace("line", "\x1b]0;title\x07line").encode(),
    ],
    ids=["plain", "crlf", "mark", "16", "16be", "gz", "gzs", "zstd", "zstds", "color", "title"],
)
def test_every_packing_gives_the_same_lines(tmp_path, pack):
    assert lines_of(written(tmp_path, pack(TEXT))) == NUMBERED


def test_the_number_of_any_line_can_be_asked_for_in_any_order():
    block = Block(b"a\n\nbc\nd", 7)
    assert [block.number_at(start) for start in (3, 0, 6, 2)] == [9, 7, 10, 8]
    assert block.lines == 4
    assert Block(b"a\n\nbc\n", 7).lines == 3


def test_text_in_utf_8_and_utf_16_in_turn_keeps_its_numbers(tmp_path):
    data = TEXT.encode() + TEXT.encode("utf-16") + b"the end\n"
    found = lines_of(written(tmp_path, data))
    assert found[:20_000] == NUMBERED
    assert found[-1] == (40_001, "the end")
    assert [text for _, text in found[20_000:-1]] == [text for _, text in NUMBERED]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "é", "\r", "x" * 30, "\ufffd", " "]), max_size=12), st.booleans()
)
def test_lines_are_those_of_the_log_of_a_run(tmp_path_factory, parts, is_wide):
    text = "\n".join(parts)
    data = text.encode("utf-16") if is_wide else text.encode()
    path = written(tmp_path_factory.mktemp("d"), data)
    wanted = [(one.number, one.text) for one in FileLog(path).lines()]
    assert [(number, one.rstrip("\r")) for number, one in lines_of(path)] == (wanted or [])


def test_an_empty_log_has_no_block(tmp_path):
    assert lines_of(written(tmp_path, b"")) == []
    assert lines_of(written(tmp_path, gzip.compress(b""))) == []


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 5 * BLOCK])
def test_a_long_line_is_cut_and_the_next_ones_keep_their_numbers(tmp_path, size):
    found = lines_of(written(tmp_path, b"a\n" + b"x" * size + b"\nb\n\nc"))
    assert [number for number, _ in found] == [1, 2, 3, 4, 5]
    assert found[1][1][:65_536] == "x" * 65_536
    assert [text for _, text in found if "x" not in text] == ["a", "b", "", "c"]


@pytest.mark.slow
def test_a_line_of_a_gigabyte_grows_nothing(tmp_path):
    path = tmp_path / "long.log"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(b"first\n")
        for _ in range(1024):
            stream.write(b"x" * (1 << 20))
        stream.write(b"\nlast\n")
    tracemalloc.start()
    found = lines_of(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(number, text[:5]) for number, text in found] == [
        (1, "first"),
        (2, "xxxxx"),
        (3, "last"),
    ]
    assert peak < 16 << 20


def test_ten_gigabytes_of_zeros_are_no_text_and_take_no_time(tmp_path):
    path = tmp_path / "sparse.log"
    with path.open("wb") as stream:
        stream.truncate(10 << 30)
    with pytest.raises(SourceError, match="is not a text file"):
        lines_of(path)


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress],
    ids=["gzip", "zstd"],
)
@pytest.mark.parametrize(
    "spoil", [lambda data: data[: len(data) // 2], lambda data: data[:200] + b"?" * 50 + data[250:]]
)
def test_what_comes_before_damage_is_read(tmp_path, pack, spoil):
    text = "\n".join(os.urandom(20).hex() for _ in range(60_000)).encode()
    path = written(tmp_path, spoil(pack(text)))
    found: list[Block] = []
    with pytest.raises(SourceError, match="is packed and damaged"):
        found.extend(LogBytes(str(path)).blocks())


@pytest.mark.parametrize(
    "data", [b"\x7fELF" + bytes(range(256)) * 20, b"\x89PNG\r\n" + bytes(range(160)) * 9]
)
def test_what_is_no_text_is_said(tmp_path, data):
    with pytest.raises(SourceError, match="is not a text file"):
        lines_of(written(tmp_path, data))


def test_what_is_not_there_or_no_file_is_said(tmp_path):
    with pytest.raises(UsageError, match="there is no log file"):
        lines_of(tmp_path / "none.log")
    with pytest.raises(UsageError, match="is no file"):
        lines_of(tmp_path)
    with pytest.raises(SourceError, match="cannot be read"):
        lines_of("x" * 300)


def test_a_log_that_is_cut_while_it_is_read_is_said(tmp_path):
    path = written(tmp_path, TEXT.encode())
    blocks = LogBytes(str(path)).blocks()
    assert next(blocks).first == 1
    os.truncate(path, 0)
    with pytest.raises(SourceError, match="became shorter"):
        list(blocks)


def test_a_log_that_is_renamed_or_grows_while_it_is_read_is_read_as_it_was(tmp_path):
    path = written(tmp_path, TEXT.encode())
    blocks = LogBytes(str(path)).blocks()
    first = next(blocks)
    path.rename(tmp_path / "x.log.1")
    with (tmp_path / "x.log.1").open("ab") as stream:
        stream.write(b"later\n")
    data = first.data + b"".join(block.data for block in blocks)
    assert data == TEXT.encode()


def test_a_pipe_is_read_to_its_end(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(TEXT.encode()))
    writer.start()
    log = LogBytes(str(path))
    data = b"".join(block.data for block in log.blocks())
    writer.join()
    assert data == TEXT.encode()
    assert (log.total, log.done) == (None, len(data))


def test_progress_is_counted_in_bytes_of_the_file(tmp_path):
    data = gzip.compress(TEXT.encode())
    log = LogBytes(str(written(tmp_path, data)))
    for _ in log.blocks():
        assert 0 < log.done <= len(data)
    assert (log.done, log.total) == (len(data), len(data))


WRAPPED = [
    "[2025-01-01 10:00:00] ERROR: the first part of a message that is broken at the 80th ",
    "column of the terminal",
    "[2025-01-01 10:00:01] INFO: short",
]


def test_lines_broken_at_a_column_are_put_together(tmp_path):
    width = len(WRAPPED[0])
    text = "\n".join(WRAPPED * 6) + "\n"
    found = lines_of(written(tmp_path, text.encode("utf-16")))
    assert found[:2] == [(1, WRAPPED[0] + WRAPPED[1]), (3, WRAPPED[2])]
    assert found[-1] == (18, WRAPPED[2])
    longer = text + "[2025-01-01 10:00:02] " + "x" * width + "\n"
    assert lines_of(written(tmp_path, longer.encode()))[:2] == [(1, WRAPPED[0]), (2, WRAPPED[1])]


def test_a_word_broken_at_the_last_column_is_put_together(tmp_path):
    line = "[2025-01-01 10:00:00] ERROR: " + "word " * 12 + "abcdef"
    text = "\n".join([line, "ghi", "[2025-01-01 10:00:01] INFO: short"] * 6) + "\n"
    assert lines_of(written(tmp_path, text.encode()))[0] == (1, line + "ghi")
