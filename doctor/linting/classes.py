"""The mapped classes of the models: by which names code may write their columns."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from doctor.linting.catalogue import KnownColumn, KnownTable
from doctor.model.schema import CodeModels, EnumValues
from doctor.system.code.words import SourceFiles

_TEXTS = frozenset({"str", "StrEnum", "TextChoices"})


@dataclass(frozen=True, slots=True)
class KnownClass:
    """A mapped class: where it stands, its table, and its columns by their attributes.

    ``more`` are texts that SQLAlchemy takes for members of an enum beside what is stored, by the
    enum's location; None where that cannot be told.
    """

    name: str
    module: tuple[str, ...]
    table: KnownTable
    attributes: Mapping[str, KnownColumn]
    more: Mapping[str, frozenset[str] | None]

    def accepts(self, enum: EnumValues, text: str) -> bool:
        """Tell whether a text may be written through the class."""
        more = self.more.get(enum.location)
        return text in enum.values or text in enum.aliases or more is None or text in more


def known_classes(
    models: CodeModels, tables: Mapping[str, KnownTable]
) -> dict[str, tuple[KnownClass, ...]]:
    """Return the classes that declare the tables of ``models``, by their names."""
    files = SourceFiles()
    found: dict[str, tuple[KnownClass, ...]] = {}
    for table in models.tables:
        known = tables.get(table.name.casefold())
        place = files.at(table.location)
        node = place[0].statements.get(place[1], (None,))[0] if place is not None else None
        if known is None or place is None or not isinstance(node, ast.ClassDef):
            continue
        attributes = {}
        for column in table.columns:
            declared = known.column(column.name)
            attribute = _attribute(column.location, files)
            if declared is not None and attribute is not None:
                attributes[attribute] = declared
        more = {
            column.enum.location: _more(column.enum, files)
            for column in table.columns
            if column.enum is not None
        }
        module = _module(Path(place[0].shown).absolute())
        one = KnownClass(node.name, module, known, attributes, more)
        found[node.name] = (*found.get(node.name, ()), one)
    return found


def _module(path: Path) -> tuple[str, ...]:
    parts = path.with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _attribute(location: str, files: SourceFiles) -> str | None:
    """Return the attribute that the statement of a column sets."""
    place = files.at(location)
    node = place[0].statements.get(place[1], (None,))[0] if place is not None else None
    if isinstance(node, ast.Assign):
        target: ast.expr = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _more(enum: EnumValues, files: SourceFiles) -> frozenset[str] | None:
    """Return the values of an enum whose members are texts; none for one whose are not."""
    place = files.at(enum.location)
    node = place[0].statements.get(place[1], (None,))[0] if place is not None else None
    if not isinstance(node, ast.ClassDef):
        return None
    bases = {getattr(one, "attr", getattr(one, "id", "")) for one in node.bases}
    if bases <= {"Enum", "IntEnum"}:
        return frozenset()
    if not bases <= {*_TEXTS, "Enum"}:
        return None
    values = [one.value for one in node.body if isinstance(one, ast.Assign)]
    texts = [one.value for one in values if isinstance(one, ast.Constant)]
    is_plain = len(texts) == len(values) and all(isinstance(one, str) for one in texts)
    return frozenset(str(one) for one in texts) if is_plain else None
