"""The language of conditions: names, and, or, not, parentheses, ``1 of x*``, ``all of x*``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from doctor.model.rule import And, Condition, Name, Not, Or
from doctor.rulebook.problem import brief, nearest

RESERVED = frozenset({"and", "or", "not", "of", "all", "them"})
_DEEPEST = 32
_LONGEST = 2_000
_TOKEN = re.compile(r"[()]|[A-Za-z0-9_*]+")
_SPACE = re.compile(r"\s*")


class ConditionError(Exception):
    """A condition that cannot be read. ``index`` is the character at which it goes wrong."""

    def __init__(self, index: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.index = index
        self.message = message
        self.hint = hint


class _Token(NamedTuple):
    word: str
    at: int


def parse_condition(text: str, names: Sequence[str]) -> Condition:
    """Parse a condition over the selections ``names``; patterns are expanded in their order.

    ``not`` binds closer than ``and``, ``and`` closer than ``or``.

    Raises:
        ConditionError: with the index of the first character that cannot be understood.
    """
    if len(text) > _LONGEST:
        raise ConditionError(0, f"the condition is longer than {_LONGEST} characters")
    parser = _Parser(_tokens(text), names)
    condition = parser.disjunction(0)
    parser.expect_end()
    return condition


def holds(condition: Condition, held: AbstractSet[str]) -> bool:
    """Tell whether a condition holds when exactly the selections ``held`` do."""
    match condition:
        case Name(selection):
            return selection in held
        case Not(operand):
            return not holds(operand, held)
        case And(operands):
            return all(holds(one, held) for one in operands)
        case Or(operands):
            return any(holds(one, held) for one in operands)


def used_names(condition: Condition) -> tuple[str, ...]:
    """Return the selections that a condition names, each once, in order."""
    return tuple(dict.fromkeys(name for name, _ in _literals(condition, negated=False)))


def positive_names(condition: Condition) -> tuple[str, ...]:
    """Return the selections of which a match may hold facts: those not under a ``not``."""
    literals = _literals(condition, negated=False)
    return tuple(dict.fromkeys(name for name, negated in literals if not negated))


def _literals(condition: Condition, *, negated: bool) -> list[tuple[str, bool]]:
    match condition:
        case Name(selection):
            return [(selection, negated)]
        case Not(operand):
            return _literals(operand, negated=not negated)
        case And(operands) | Or(operands):
            return [found for one in operands for found in _literals(one, negated=negated)]


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    index = _SPACE.match(text).end()  # type: ignore[union-attr]  # matches the empty string too
    while index < len(text):
        match = _TOKEN.match(text, index)
        if match is None:
            message = f"unexpected character {text[index]!r} in the condition"
            raise ConditionError(index, message)
        tokens.append(_Token(match[0], index))
        index = _SPACE.match(text, match.end()).end()  # type: ignore[union-attr]
    tokens.append(_Token("", len(text)))
    return tokens


class _Parser:
    """Recursive descent over the tokens; ``depth`` bounds the recursion."""

    def __init__(self, tokens: Sequence[_Token], names: Sequence[str]) -> None:
        self._tokens = tokens
        self._names = names
        self._next = 0

    def disjunction(self, depth: int) -> Condition:
        return self._chain("or", self._conjunction, Or, depth)

    def expect_end(self) -> None:
        token = self._peek()
        if token.word:
            raise ConditionError(token.at, f"expected 'and' or 'or' before {brief(token.word)}")

    def _conjunction(self, depth: int) -> Condition:
        return self._chain("and", self._negation, And, depth)

    def _chain(
        self,
        word: str,
        part: Callable[[int], Condition],
        join: type[And | Or],
        depth: int,
    ) -> Condition:
        operands = [part(depth)]
        while self._peek().word == word:
            self._take()
            operands.append(part(depth))
        return operands[0] if len(operands) == 1 else join(tuple(operands))

    def _negation(self, depth: int) -> Condition:
        token = self._take()
        if depth > _DEEPEST:
            raise ConditionError(token.at, f"nested deeper than {_DEEPEST} levels")
        if token.word == "not":
            return Not(self._negation(depth + 1))
        if token.word == "(":
            inner = self.disjunction(depth + 1)
            closing = self._take()
            if closing.word != ")":
                raise ConditionError(closing.at, "expected ')'")
            return inner
        if self._peek().word == "of":
            return self._pattern(token)
        return self._name(token)

    def _pattern(self, quantity: _Token) -> Condition:
        if quantity.word not in {"1", "all"}:
            message = f"{brief(quantity.word)} of is not supported"
            raise ConditionError(quantity.at, message, "write '1 of' or 'all of'")
        self._take()
        token = self._take()
        if token.word == "them":
            message = "'them' is not supported"
            raise ConditionError(token.at, message, "name a pattern such as 'x*'")
        prefix = token.word.removesuffix("*")
        if prefix == token.word or not prefix or "*" in prefix:
            message = f"expected a pattern such as 'x*', not {_shown(token)}"
            raise ConditionError(token.at, message)
        found = tuple(Name(name) for name in self._names if name.startswith(prefix))
        if not found:
            message = f"the pattern {brief(token.word)} fits no selection"
            raise ConditionError(token.at, message, nearest(prefix, self._names))
        if len(found) == 1:
            return found[0]
        return Or(found) if quantity.word == "1" else And(found)

    def _name(self, token: _Token) -> Condition:
        if token.word in self._names:
            return Name(token.word)
        if not token.word or token.word == ")" or token.word in RESERVED:
            raise ConditionError(token.at, f"expected a selection, not {_shown(token)}")
        message = f"unknown selection {brief(token.word)}"
        raise ConditionError(token.at, message, nearest(token.word, self._names))

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token


def _shown(token: _Token) -> str:
    return brief(token.word) if token.word else "the end"
