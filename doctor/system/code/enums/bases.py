"""What an enum inherits: its data type, how ``auto()`` counts, and what may not be followed."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, replace

from doctor.system.code.source.names import Names
from doctor.system.code.source.symbols import (
    Binding,
    ClassRef,
    Expression,
    External,
    FunctionRef,
    Symbol,
    UnreadableError,
)

_ENUM_MODULES = frozenset({"enum", "strenum", "backports"})
_NO_ENUMS = (sys.stdlib_module_names - {"enum"}) | {"sqlalchemy", "flask_sqlalchemy"}
_DATA = frozenset({"str", "int", "float"})
_FORBIDDEN = frozenset(
    {"__new__", "__init_subclass__", "__set_name__", "__prepare__", "name", "value"}
    | {"_value_", "_name_", "__members__", "__eq__", "__hash__", "__get__"}
)


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a base, or all bases together, give to an enum.

    Attributes:
        mixin: the data type of the members, or None.
        counts: how ``auto()`` gets its values: ``number``, ``bits`` or ``name``; None: unknown.
        counter: the method of the source that replaces it.
        textual: it is a StrEnum, whose ``str(member)`` is the value.
        writes_text: a class of the source replaces how members become text.
        is_enum: it is an enum class at all.
    """

    mixin: str | None = None
    counts: str | None = None
    counter: FunctionRef | None = None
    textual: bool = False
    writes_text: bool = False
    is_enum: bool = False


_STANDARD = {
    "Enum": Inherited(counts="number", is_enum=True),
    "ReprEnum": Inherited(counts="number", is_enum=True),
    "IntEnum": Inherited(mixin="int", counts="number", is_enum=True),
    "StrEnum": Inherited(mixin="str", counts="name", textual=True, is_enum=True),
    "Flag": Inherited(counts="bits", is_enum=True),
    "IntFlag": Inherited(mixin="int", counts="bits", is_enum=True),
}


def standard(symbol: Symbol) -> Inherited | None:
    """Return what a base class of the standard library gives, None where it is no enum."""
    if not isinstance(symbol, External) or symbol.root not in _ENUM_MODULES:
        return None
    found = _STANDARD.get(symbol.last)
    # the packages that brought StrEnum to older versions disagree about auto()
    return replace(found, counts=None) if found and symbol.root != "enum" else found


class EnumBases:
    """Reads the bases of enum classes."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._active: set[int] = set()

    def is_enum(self, ref: ClassRef) -> bool:
        """Tell whether a base of ``ref``, near or far, is an enum class.

        Raises:
            UnreadableError: a base cannot be followed.
        """
        if id(ref.node) in self._active:
            raise UnreadableError(f"the class {ref.node.name!r} inherits from itself", ref.place)
        self._active.add(id(ref.node))
        try:
            kinds = [self._kind(one) for one in self._symbols(ref)]
        finally:
            self._active.discard(id(ref.node))
        if None in kinds and True not in kinds:
            raise UnreadableError(f"a base of {ref.node.name} cannot be read", ref.place)
        return True in kinds

    def _kind(self, symbol: Symbol) -> bool | None:
        """Return whether ``symbol`` is an enum class, None where that cannot be known."""
        if isinstance(symbol, ClassRef):
            return self.is_enum(symbol)
        if standard(symbol) is not None:
            return True
        if isinstance(symbol, Expression) and isinstance(symbol.node, (ast.Call, ast.Subscript)):
            node = symbol.node
            maker = node.func if isinstance(node, ast.Call) else node.value
            symbol = self._names.resolve(maker, symbol.scope)
        return False if isinstance(symbol, External) and symbol.root in _NO_ENUMS else None

    def _symbols(self, ref: ClassRef) -> list[Symbol]:
        metaclass = [one.value for one in ref.node.keywords if one.arg == "metaclass"]
        bases = [*ref.node.bases, *metaclass]
        return [one for base in bases for one in self._names.candidates(base, ref.scope)]

    def inherited(self, ref: ClassRef) -> Inherited:
        """Return what all bases of ``ref``, and what its own body, give to its members."""
        self._check_body(ref)
        writes_text = bool({"__str__", "__format__"} & set(self._names.class_scope(ref).names))
        result = replace(self._own(ref), writes_text=writes_text)
        for base in ref.node.bases:
            found = {self._given(one, ref) for one in self._names.candidates(base, ref.scope)}
            result = _joined(result, _common(found, ref), ref)
        return result

    def _own(self, ref: ClassRef) -> Inherited:
        names = self._names.class_scope(ref).names
        if "_generate_next_value_" not in names:
            return Inherited()
        found = self._names.attribute(ref, "_generate_next_value_")
        if not isinstance(found, FunctionRef):
            raise UnreadableError("the values of auto() are only known when it runs", ref.place)
        return Inherited(counter=found)

    def _check_body(self, ref: ClassRef) -> None:
        names = self._names.class_scope(ref).names
        forbidden = sorted(_FORBIDDEN.intersection(names))
        if forbidden:
            raise UnreadableError(f"{ref.node.name} defines {forbidden[0]!r}", ref.place)
        stores = (one for one in ast.walk(ref.node) if isinstance(one, ast.Attribute))
        if any(one.attr in {"_value_", "_name_"} and _is_store(one) for one in stores):
            raise UnreadableError(f"{ref.node.name} sets the value of its members", ref.place)
        if any(isinstance(one, ast.NamedExpr) for one in ast.walk(ref.node)):
            raise UnreadableError(f"{ref.node.name} assigns inside of expressions", ref.place)
        unknown = [one.arg for one in ref.node.keywords if one.arg != "boundary"]
        if unknown:
            raise UnreadableError(f"{ref.node.name} has the argument {unknown[0]!r}", ref.place)

    def _given(self, symbol: Symbol, ref: ClassRef) -> Inherited:
        known = standard(symbol)
        if known is not None:
            return known
        if isinstance(symbol, ClassRef):
            return self._from_class(symbol)
        if isinstance(symbol, External) and symbol.root == "builtins":
            if symbol.last in _DATA:
                return Inherited(mixin=symbol.last)
            if symbol.last == "object":
                return Inherited()
        name = symbol.path if isinstance(symbol, External) else "base"
        raise UnreadableError(f"the base {name!r} of {ref.node.name} cannot be read", ref.place)

    def _expect_no_members(self, base: ClassRef) -> None:
        for name, bound in self._names.class_scope(base).names.items():
            if any(map(_is_value, bound)) and not name.startswith("_"):
                raise UnreadableError(f"the base {base.node.name!r} has members", base.place)

    def _from_class(self, base: ClassRef) -> Inherited:
        if self.is_enum(base):
            self._expect_no_members(base)
        elif base.node.decorator_list:
            raise UnreadableError(f"the base {base.node.name!r} is decorated", base.place)
        result = self.inherited(base)
        if result.mixin is not None and not result.is_enum:
            reason = f"the base {base.node.name!r} is a data type of the source"
            raise UnreadableError(reason, base.place)
        return result


def _is_value(bound: Binding | Symbol) -> bool:
    meaning = bound.meaning if isinstance(bound, Binding) else None
    return not isinstance(meaning, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def _is_store(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, (ast.Store, ast.Del))


def _common(found: set[Inherited], ref: ClassRef) -> Inherited:
    """Return what alternatives of a base, e.g. for two versions of Python, agree on."""
    if len({replace(one, counts=None, textual=False) for one in found}) != 1:
        raise UnreadableError(f"a base of {ref.node.name} is set in several ways", ref.place)
    first = next(iter(found))
    same_count = len({one.counts for one in found}) == 1
    textual = all(one.textual for one in found)
    return replace(first, counts=first.counts if same_count else None, textual=textual)


def _joined(left: Inherited, right: Inherited, ref: ClassRef) -> Inherited:
    if left.mixin and right.mixin and left.mixin != right.mixin:
        raise UnreadableError(f"{ref.node.name} mixes two data types", ref.place)
    return Inherited(
        mixin=left.mixin or right.mixin,
        counts=left.counts or right.counts,
        counter=left.counter or right.counter,
        textual=left.textual or right.textual,
        writes_text=left.writes_text or right.writes_text,
        is_enum=left.is_enum or right.is_enum,
    )
