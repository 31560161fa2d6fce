"""Every fact kind that a rule may ask for: of probes, of signatures, and diagnoses themselves."""

from __future__ import annotations

from collections.abc import Iterable

from doctor.model.evidence import FactField, FactKind
from doctor.model.rule import Signature
from doctor.registry import Registry
from doctor.rulebook.chaining import DIAGNOSIS
from doctor.rulebook.log_kinds import LOG_KINDS
from doctor.rulebook.patterns import optional_groups

_DIAGNOSIS = FactKind(
    DIAGNOSIS,
    "what another rule has concluded",
    tuple(FactField(name) for name in ("rule", "cause", "code", "level", "run")),
)
_OF_EVERY_LINE = (FactField("run"), FactField("failures_after", "int", required=False))


def build_catalogue(
    probe_kinds: Iterable[FactKind], signatures: Iterable[Signature]
) -> dict[str, FactKind]:
    """Return every fact kind by name.

    A kind with several sources has the fields of all of them; a field is required only if all of
    them have it. Facts of signatures always have ``run``, the line's own or that of the log, and
    ``failures_after``: how many failed calls the same log holds after the line.
    """
    catalogue: dict[str, FactKind] = {}
    for kind in probe_kinds:
        _enter(catalogue, kind)
    for signature in signatures:
        _enter(catalogue, _kind_of(signature))
    catalogue[DIAGNOSIS] = _DIAGNOSIS
    return catalogue


def _enter(catalogue: dict[str, FactKind], kind: FactKind) -> None:
    known = catalogue.get(kind.name)
    catalogue[kind.name] = kind if known is None else _union(known, kind)


def _union(one: FactKind, other: FactKind) -> FactKind:
    names = dict.fromkeys(field.name for field in (*one.fields, *other.fields))
    return FactKind(one.name, one.title, tuple(_merged(one, other, name) for name in names))


def _merged(one: FactKind, other: FactKind, name: str) -> FactField:
    fields = [field for field in (one.field(name), other.field(name)) if field is not None]
    required = len(fields) > 1 and all(field.required for field in fields)
    return FactField(name, fields[0].type, required)


def _kind_of(signature: Signature) -> FactKind:
    optional = optional_groups(signature.pattern)
    fields = [
        FactField(name, "str" if kind == "url_path" else kind, name not in optional)
        for name, kind in signature.fields.items()
        if name not in ("run", "failures_after")
    ]
    return FactKind(signature.kind, "seen in a log", (*fields, *_OF_EVERY_LINE))


def offered_kinds(registry: Registry) -> list[FactKind]:
    """Return the kinds of facts that the probes and the log bring."""
    return [*(kind for probe in registry.probes for kind in probe.kinds), *LOG_KINDS]


def offered_names(registry: Registry) -> tuple[list[str], list[str]]:
    """Return the names of the probes and of the fixers."""
    probes = [probe.name for probe in registry.probes]
    return probes, [fixer.name for fixer in registry.fixers]
