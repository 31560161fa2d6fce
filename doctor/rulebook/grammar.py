"""One file of rules: which kind each document is, and what it says."""

from __future__ import annotations

import re
from typing import NamedTuple

from doctor.model.description import SystemDescription
from doctor.model.rule import Override, Rule, Signature, ValueMapping
from doctor.rulebook.nodes import Document, Node, Table, Text
from doctor.rulebook.override_grammar import read_override
from doctor.rulebook.problem import RuleProblem, Sheet, TooManyProblemsError, brief, nearest
from doctor.rulebook.reader import read
from doctor.rulebook.rule_grammar import read_rule
from doctor.rulebook.section import Reading, Section
from doctor.rulebook.signature_grammar import read_signatures
from doctor.rulebook.system_grammar import read_system

FORMAT = "doctor/1"
_KINDS = ("rule", "signatures", "mapping", "override", "system")
_COLUMN = re.compile(r"[^.\s](?:.*[^.\s])?\.[^.\s]+")


class LoadedRule(NamedTuple):
    """A rule and the document that it was read from, for later complaints."""

    rule: Rule
    document: Document


class LoadedSignature(NamedTuple):
    """A signature and the part of a document that it was read from."""

    signature: Signature
    document: Document


class File(NamedTuple):
    """What one file holds; where it has problems the values beside them are not complete."""

    rules: tuple[LoadedRule, ...]
    signatures: tuple[LoadedSignature, ...]
    mappings: tuple[ValueMapping, ...]
    overrides: tuple[Override, ...]
    systems: tuple[SystemDescription, ...]
    problems: tuple[RuleProblem, ...]


class _Harvest:
    """The good documents of one file."""

    def __init__(self, builtin: bool, placed: bool) -> None:  # noqa: FBT001  # properties, no modes
        self.builtin = builtin
        self._placed = placed
        self.rules: list[LoadedRule] = []
        self.signatures: list[LoadedSignature] = []
        self.mappings: list[ValueMapping] = []
        self.overrides: list[Override] = []
        self.systems: list[SystemDescription] = []

    def document(self, label: str, root: Table) -> Document:
        """Return the document to keep."""
        return Document(label, root if self._placed else Table({}, {}, root.place), self.builtin)


def read_file(
    label: str, content: str | bytes, *, builtin: bool = False, placed: bool = True
) -> File:
    """Read one file; never raises, whatever the file holds.

    Unless ``placed`` the documents are not kept, and later complaints name only the file.
    """
    sheet = Sheet(label)
    harvest = _Harvest(builtin, placed)
    try:
        for root in read(content, sheet):
            _document(root, Reading(sheet), harvest)
    except TooManyProblemsError:
        pass
    return File(
        tuple(harvest.rules),
        tuple(harvest.signatures),
        tuple(harvest.mappings),
        tuple(harvest.overrides),
        tuple(harvest.systems),
        tuple(sheet.problems),
    )


def _document(root: Node, reading: Reading, harvest: _Harvest) -> None:
    sheet = reading.sheet
    if not isinstance(root, Table):
        sheet.report(root.place, "a document must be a mapping that begins with 'format: doctor/1'")
        return
    before = len(sheet.problems)
    kind = _kind(root, sheet)
    section = Section(root, kind or "the document", sheet)
    _check_format(section, reading)
    if kind == "rule":
        rule = read_rule(section, reading)
        if len(sheet.problems) == before:
            document = harvest.document(sheet.label, root)
            harvest.rules.append(LoadedRule(rule, document))
    elif kind == "signatures":
        for signature, table in read_signatures(section, reading):
            document = harvest.document(sheet.label, table)
            harvest.signatures.append(LoadedSignature(signature, document))
        if len(sheet.problems) > before:
            harvest.signatures.clear()
    elif kind is not None:
        _beside(kind, section, reading, harvest)


def _beside(kind: str, section: Section, reading: Reading, harvest: _Harvest) -> None:
    """Read what stands beside rules and signatures; what has mistakes is not kept."""
    before = len(reading.sheet.problems)
    found: ValueMapping | Override | SystemDescription
    if kind == "mapping":
        found = _mapping(section, reading)
    elif kind == "override":
        found = read_override(section, reading)
    else:
        found = read_system(section, reading, builtin=harvest.builtin)
    if len(reading.sheet.problems) > before:
        return
    match found:
        case ValueMapping():
            harvest.mappings.append(found)
        case Override():
            harvest.overrides.append(found)
        case SystemDescription():
            harvest.systems.append(found)


def _kind(root: Table, sheet: Sheet) -> str | None:
    found = [key for key in root.keys if key in _KINDS]
    if not found:
        message = "the document is neither a rule nor signatures, a mapping, override or system"
        hints = (nearest(key, _KINDS) for key in root.keys if key != "format")
        close = next((hint for hint in hints if hint and hint.startswith("did")), None)
        sheet.report(root.place, message, close or f"it needs one of: {', '.join(_KINDS)}")
        return None
    kind = found[0]
    if len(found) > 1:
        message = f"one document cannot be both {kind!r} and {found[1]!r}"
        sheet.report(root.keys[found[1]].place, message, "put '---' between them")
        return None
    return kind


def _check_format(section: Section, reading: Reading) -> None:
    node = section.find("format")
    hint = f"write 'format: {FORMAT}'"
    if node is None:
        reading.sheet.report(section.place, f"{section.what} needs the key 'format'", hint)
    elif not isinstance(node, Text) or node.text != FORMAT:
        shown = brief(node.text) if isinstance(node, Text) else "this"
        reading.sheet.report(node.place, f"the format {shown} is not known", hint)


def _mapping(section: Section, reading: Reading) -> ValueMapping:
    name = reading.named(section.need("mapping"), "mapping", _COLUMN, "runs.state")
    table, _, column = name.rpartition(".")
    owner = reading.text(section.need("owner"), "owner")
    reason = reading.text(section.need("reason"), "reason")
    node = section.need("values")
    values = _values(node, reading)
    section.close()
    origin = f"{reading.sheet.label}:{section.table.keys['mapping'].place[0]}"
    return ValueMapping(table, column, values, owner, reason, origin)


def _values(node: Node | None, reading: Reading) -> dict[str, str]:
    table = reading.section(node, "values").table
    if isinstance(node, Table) and not table.keys:
        reading.sheet.report(node.place, "values maps nothing")
    values: dict[str, str] = {}
    for bad, value in table.values.items():
        good = reading.verbatim(value, f"the value for {brief(bad)}")
        if good == bad:
            reading.sheet.report(value.place, f"{brief(bad)} is mapped to itself")
        values[bad] = good
    return values
