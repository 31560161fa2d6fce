"""Mapped classes: the table of each, with the columns of its mixins and subclasses."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from doctor.model.schema import CodeGap
from doctor.system.code.source.symbols import ClassRef, Expression, External, UnreadableError
from doctor.system.code.tables.annotations import Annotation, Annotations
from doctor.system.code.tables.attributes import Attribute, Attributes
from doctor.system.code.tables.column_calls import ColumnCall, ColumnCalls
from doctor.system.code.tables.columns import Columns
from doctor.system.code.tables.core import Tables
from doctor.system.code.tables.drafts import TableDraft
from doctor.system.code.tables.lineage import Lineages
from doctor.system.code.tables.type_maps import TypeMap, TypeMaps


@dataclass(frozen=True, slots=True)
class Readers:
    """The readers that mapped classes are put together with."""

    lineages: Lineages
    attributes: Attributes
    annotations: Annotations
    calls: ColumnCalls
    columns: Columns
    maps: TypeMaps
    tables: Tables


class Models:
    """Reads mapped classes; each once, parents before the classes that inherit from them."""

    def __init__(self, readers: Readers) -> None:
        self._with = readers
        self._read: dict[int, TableDraft | None] = {}
        self.gaps: list[CodeGap] = []

    @property
    def drafts(self) -> list[TableDraft]:
        """The tables of all classes that were read, each once, in order."""
        return list({id(one): one for one in self._read.values() if one is not None}.values())

    def add(self, ref: ClassRef) -> TableDraft | None:
        """Read the table of ``ref``, None where it has none or it is a gap."""
        if id(ref.node) in self._read:
            return self._read[id(ref.node)]
        self._read[id(ref.node)] = None
        try:
            draft = self._table(ref)
        except (UnreadableError, RecursionError) as error:
            place = getattr(error, "where", None) or ref.place
            self.gaps.append(CodeGap(place, ref.node.name, f"its table cannot be read: {error}"))
            return None
        self._read[id(ref.node)] = draft
        return draft

    def _table(self, ref: ClassRef) -> TableDraft | None:
        if not self._with.lineages.is_mapped(ref):
            self._expect_no_model(ref)
            return None
        parent = self._parent(ref)
        above = self.add(parent) if parent is not None else None
        fixed = self._with.attributes.of_class(ref).get("__table__")
        if fixed is not None:
            return self._fixed(fixed, ref)
        name = self._special("__tablename__", ref)
        if name is None:
            if above is None:
                raise UnreadableError("it has no __tablename__", ref.place)
            self._fill(above, ref, parent)
            return above
        draft = TableDraft(self._with.tables.text(name), None, ref.place)
        self._fill(draft, ref, parent)
        self._options(draft, ref)
        return draft

    def _expect_no_model(self, ref: ClassRef) -> None:
        """Raise where ``ref`` looks like a model whose base cannot be read."""
        foreign = self._with.lineages.foreign(ref)
        names = self._with.attributes.of_class(ref)
        hidden = foreign is not None and not self._with.lineages.is_abstract(ref)
        if hidden and ("__tablename__" in names or "__table__" in names or self._has_columns(ref)):
            raise UnreadableError(foreign.reason if foreign is not None else "", ref.place)

    def _has_columns(self, ref: ClassRef) -> bool:
        found = self._with.attributes.of_class(ref).values()
        try:
            return any(self._column(one, ref) is not None for one in found)
        except UnreadableError:
            return True

    def _fixed(self, attribute: Attribute, ref: ClassRef) -> TableDraft:
        value = attribute.for_class(ref)
        draft = self._with.tables.find(value.node, value.scope) if value is not None else None
        if draft is None:
            raise UnreadableError("its __table__ is only known when the code runs", ref.place)
        return draft

    def _parent(self, ref: ClassRef) -> ClassRef | None:
        above = list(self._with.lineages.classes(ref))[1:]
        return next((one for one in above if self._with.lineages.is_mapped(one)), None)

    def _special(self, name: str, ref: ClassRef) -> Expression | None:
        """Return ``__tablename__`` or ``__table_args__`` as SQLAlchemy inherits it.

        What a mapped parent sets to a constant is the parent's alone.
        """
        for one in self._with.lineages.classes(ref):
            attribute = self._with.attributes.of_class(one).get(name)
            if attribute is None:
                continue
            own = one == ref or not self._with.lineages.is_mapped(one)
            if own or attribute.declared is not None:
                value = attribute.for_class(ref)
                is_none = value is not None and _is_none(value.node)
                return None if is_none else value
        return None

    def _options(self, draft: TableDraft, ref: ClassRef) -> None:
        try:
            metadata = self._with.lineages.configured(ref, "metadata")
            found = self._special("__table_args__", ref)
            items, options = _split(found)
        except UnreadableError as error:
            draft.gap(error, ref.place)
            return
        self._with.tables.options(draft, options, metadata)
        self._with.tables.constraints(draft, items)

    def _fill(self, draft: TableDraft, ref: ClassRef, parent: ClassRef | None) -> None:
        """Add the columns of ``ref`` and its mixins; those of a mapped parent are the parent's."""
        known = self._with.maps.of_class(ref)
        foreign = self._with.lineages.foreign(ref)
        if foreign is not None:
            draft.gap(UnreadableError(f"columns may be missing: {foreign.reason}"), ref.place)
        above = set(self._with.lineages.classes(parent)) if parent is not None else set()
        own = [one for one in self._with.lineages.classes(ref) if one not in above]
        for name in dict.fromkeys(name for one in own for name in self._names(one)):
            if not name.startswith("__"):
                self._fill_one(draft, name, ref, above, known)

    def _fill_one(
        self, draft: TableDraft, name: str, ref: ClassRef, above: set[ClassRef], known: TypeMap
    ) -> None:
        try:
            attribute = self._chosen(name, ref, above)
            if attribute is not None:
                self._add(draft, attribute, ref, known)
        except UnreadableError as error:
            draft.gap(error, ref.place, name)
        except RecursionError:
            draft.gap(UnreadableError("the source is nested too deeply"), ref.place, name)

    def _names(self, ref: ClassRef) -> dict[str, Attribute]:
        return self._with.attributes.of_class(ref)

    def _chosen(self, name: str, ref: ClassRef, above: set[ClassRef]) -> Attribute | None:
        """Return the attribute ``name`` that counts for ``ref``, by SQLAlchemy's precedence.

        What Python finds on the class comes first, unless it is None; then bare annotations, of
        mixins before those of the class itself. A mapped parent's attributes stay the parent's.
        """
        found = [
            (one, attribute)
            for one in self._with.lineages.classes(ref)
            if (attribute := self._names(one).get(name)) is not None
        ]
        for one, attribute in found:
            if one in above and (self._mapped(attribute) or not attribute.is_bare):
                found = found[:1]
                break
            if attribute.is_none:
                break
            if not attribute.is_bare:
                return attribute
        bare = [
            (one, attribute)
            for one, attribute in found
            if one not in above and attribute.value is None and self._mapped(attribute)
        ]
        mixed_in = [attribute for one, attribute in bare if one != ref]
        return next(iter([*mixed_in, *(attribute for _, attribute in bare)]), None)

    def _mapped(self, one: Attribute) -> Annotation | None:
        if one.annotation is None:
            return None
        return self._with.annotations.mapped(one.annotation, one.scope)

    def _add(self, draft: TableDraft, one: Attribute, ref: ClassRef, known: TypeMap) -> None:
        try:
            call = self._column(one, ref)
        except UnreadableError as error:
            error.where = error.where or one.place
            raise
        if call is not None:
            read = self._with.columns.read(one.name, call, self._mapped(one), known)
            draft.add(replace(read, column=replace(read.column, location=one.place)))
        elif one.value is not None and self._with.calls.is_foreign(one.value, one.scope):
            draft.unread.append(f"{one.name} is made outside of the source: it may be a column")

    def _column(self, one: Attribute, ref: ClassRef) -> ColumnCall | None:
        """Return the call that makes the column, an empty one for a bare annotation."""
        mapped = self._mapped(one)
        value = one.for_class(ref)
        if value is None:
            return ColumnCall(None, None, place=one.place) if mapped is not None else None
        call = self._with.calls.find(value.node, value.scope)
        if call is None and mapped is not None and isinstance(value.node, ast.Call):
            maker = self._with.calls.maker(value.node, value.scope)
            if not isinstance(maker, External) or maker.root != "sqlalchemy":
                raise UnreadableError(
                    f"{ast.unparse(value.node.func)!r} is not followed", one.place
                )
        return call

    def target(self, given: Expression) -> str:
        """Return the ``table.column`` that an expression like ``Run.id`` stands for."""
        node = given.node
        if isinstance(node, ast.Attribute):
            owner = node.value
            if isinstance(owner, ast.Attribute) and owner.attr in {"c", "columns"}:
                draft = self._with.tables.find(owner.value, given.scope)
                if draft is not None:
                    return f"{draft.name}.{node.attr}"
            symbol = self._with.calls.symbol(owner, given.scope)
            if isinstance(symbol, ClassRef):
                return self._of_attribute(symbol, node.attr)
        raise UnreadableError(f"the foreign key to {ast.unparse(node)!r} is not followed")

    def _of_attribute(self, ref: ClassRef, name: str) -> str:
        for one in self._with.lineages.classes(ref):
            attribute = self._with.attributes.of_class(one).get(name)
            table = self._special("__tablename__", one if self._is_own(one) else ref)
            if attribute is not None and table is not None:
                call = self._column(attribute, ref)
                column = call.name if call is not None and call.name is not None else name
                return f"{self._with.tables.text(table)}.{column}"
        raise UnreadableError(f"the foreign key to {ref.node.name}.{name} is not followed")

    def _is_own(self, ref: ClassRef) -> bool:
        return self._with.lineages.is_mapped(ref)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _split(found: Expression | None) -> tuple[list[Expression], dict[str, Expression]]:
    """Split ``__table_args__`` into its constraints and its options."""
    if found is None:
        return [], {}
    node, scope = found.node, found.scope
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    last = items[-1] if items else None
    if not isinstance(node, (ast.Tuple, ast.Dict)) or any(
        isinstance(one, ast.Starred) for one in items
    ):
        raise UnreadableError("__table_args__ is not followed", scope.place(node))
    options = {}
    if isinstance(last, ast.Dict):
        for key, value in zip(last.keys, last.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                raise UnreadableError("__table_args__ is not followed", scope.place(last))
            options[key.value] = Expression(value, scope)
        items = items[:-1]
    return [Expression(one, scope) for one in items], options
