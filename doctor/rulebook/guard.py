"""What a text must be before a C parser sees it: small, clean UTF-8, and not deeply nested.

The C parser's tree builder overflows the stack at about 25,000 open brackets and takes the process
with it. So nesting is bounded from above by a scan that cannot be talked out of counting:

- Every bracket that might open a flow collection is followed as if it did. Inside a flow collection
  quotes, comments and plain text can be told apart without knowing what stands around it, so from
  the bracket that really opens one the count is exact; from any other it can only refuse too much.
- Block collections nest by column, so the column at which a line's first value may begin bounds
  them, whatever the lines between say.
"""

from __future__ import annotations

import re

from doctor.rulebook.nodes import Place
from doctor.rulebook.sources import MOST_BYTES

LONGEST_LINE = 10_000
DEEPEST = 32
_DEEPEST_COLUMN = 120
_STEPS_PER_CHARACTER = 16
_FREE_STEPS = 4_000_000

# Control characters, line breaks that only YAML sees, text that runs backwards, half characters.
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
    "\U00010000-\U0010ffff]|\r(?!\n)"
)
_LEAD = re.compile(r"(?:---)?(?:[ \t]|[-?:](?=\s|$))*+")
_MAY_OPEN = re.compile(r"(?<!\S)[\[{]")
_FLOW = re.compile(
    r"""
      (?P<open>[\[{])
    | (?P<close>[\]}])
    | (?P<tag>!)
    | (?P<hole>\?(?:\s++|\#[^\n]*+)*+[,\]}])
    | (?P<other>(?:
        (?![\[\]{}!]|\?(?:\s++|\#[^\n]*+)*+[,\]}])
        (?:
            [&*][0-9A-Za-z_-]*+
          | (?:[\s,:]|-(?=\s))++
          | \?
          | \#[^\n]*+
          | '(?:[^']++|'')*+'?
          | "(?:[^"\\]++|\\.)*+"?
          | (?:
                [^\s,\[\]{}:]++
              | :(?![\s,\[\]{}])
              | [ \t\r\n]++(?:(?![\s,\[\]{}\#:])|:(?![\s,\[\]{}]))
            )++
          | .
        )
      )++)
    """,
    re.VERBOSE | re.DOTALL,
)


class RefusedError(Exception):
    """The text cannot be read safely. ``place`` is 1-based line and column."""

    def __init__(self, place: Place, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.hint = hint


def clean_text(content: str | bytes) -> str:
    """Return the text of a file without its byte order mark.

    Raises:
        RefusedError: too long, not UTF-8, control characters, a line too long, or nested too deep.
    """
    if len(content) > MOST_BYTES:
        raise RefusedError((1, 1), f"the file is longer than {MOST_BYTES} bytes", "split it")
    text = (content if isinstance(content, str) else _decode(content)).removeprefix("\ufeff")
    if bad := _FORBIDDEN.search(text):
        raise RefusedError(
            _place(text, bad.start()),
            f"character U+{ord(bad[0]):04X} is not allowed in a rule file",
            "remove it, or write it as an escape in double quotes",
        )
    _check_lines(text)
    _check_flow(text)
    return text


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        raise RefusedError(
            _place(before, len(before)),
            f"the file is not UTF-8: byte 0x{content[error.start]:02x} cannot be read",
            "save the file as UTF-8",
        ) from None


def _place(text: str, index: int) -> Place:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _check_lines(text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            message = f"the line is longer than {LONGEST_LINE} characters"
            raise RefusedError((number, LONGEST_LINE + 1), message)
        if len(line) > _DEEPEST_COLUMN and (column := _last_start(line)) > _DEEPEST_COLUMN:
            message = f"a value begins after column {_DEEPEST_COLUMN}: nested or indented too deep"
            raise RefusedError((number, column), message)


def _last_start(line: str) -> int:
    """Return the last column at which a value of a block collection may begin, or 0."""
    lead = _LEAD.match(line)
    end = lead.end() if lead else 0
    if line[end : end + 1].strip() not in {"", "#"}:
        return end + 1
    return len(line[:end].rstrip())


def _check_flow(text: str) -> None:
    seen: set[int] = set()
    budget = _STEPS_PER_CHARACTER * len(text) + _FREE_STEPS
    for match in _MAY_OPEN.finditer(text):
        if match.start() in seen:
            continue
        budget -= _follow(text, match.start(), seen, budget)


def _follow(text: str, start: int, seen: set[int], budget: int) -> int:
    """Follow a flow collection from its bracket to its end; return the characters it took."""
    depth = 0
    position = start
    while (token := _FLOW.match(text, position)) is not None:
        kind = token.lastgroup
        if kind == "open":
            seen.add(position)
            depth += 1
            if depth > DEEPEST:
                raise RefusedError(_place(text, position), f"nested deeper than {DEEPEST} levels")
        elif kind == "close":
            depth -= 1
        elif kind == "hole":  # libyaml loses the bracket that follows, and all count with it
            raise RefusedError(_place(text, position), "'?' without a key", "put it in quotes")
        if depth == 0 or kind == "tag":
            break
        position = token.end()
        if position - start > budget:
            raise RefusedError(
                _place(text, start), "brackets without their end: too many to follow"
            )
    return position - start
