"""The system under care as probes see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from doctor.model.change import SetCells
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Fact, FactKind, Gap
from doctor.model.layout import Layout, Member
from doctor.model.ports import Api, Code, Log, ReadDoor
from doctor.model.rule import Signature, ValueMapping
from doctor.model.tier import Tier


@dataclass(frozen=True, slots=True)
class Run:
    """A reference to one executor run by the id that its users know; None: every run."""

    id: str | None


@dataclass(frozen=True)
class System:
    """What is under care: its ports, each None where it is not configured.

    Attributes:
        layout: where the runs are kept, None where that could not be found out;
            ``layout_reason`` then says why.
        route: path of the GET of one run with the run's id filled in, or None;
            ``route_reason`` then says why.
        run_prefix: what stands before a run id in the paths that the system's clients call.
        signatures: how log lines become facts.
        mappings: what the owner declared about bad values.
        terminal: states after which a run does nothing more, as far as known.
        apart: all tables, where ``layout`` is not known.
        health: path of a GET that answers 200 while the API is well.
        unasked: why the API is not asked although it is configured.
        project: folder of the source that the models belong to; it is read, never imported.
        ids: patterns that ids fit, by ``TABLE.COLUMN``, as the owner pinned them.
    """

    identity: str
    database: ReadDoor | None = None
    api: Api | None = None
    code: Code | None = None
    logs: tuple[Log, ...] = ()
    reports: tuple[Log, ...] = ()
    layout: Layout | None = None
    layout_reason: str | None = None
    route: str | None = None
    route_reason: str | None = None
    run_prefix: str | None = None
    signatures: tuple[Signature, ...] = ()
    mappings: tuple[ValueMapping, ...] = ()
    terminal: frozenset[str] = field(default_factory=frozenset)
    apart: tuple[Member, ...] = ()
    health: str | None = None
    unasked: str | None = None
    project: Path | None = None
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def tables_for(self, run: str | None) -> Layout | None:
        """Return the tables to look at for ``run``, None for all runs; None: none can be."""
        if self.layout is None and run is None and self.apart:
            return Layout((), self.apart)
        return self.layout


class Probe(Protocol):
    """A named, read-only collector.

    ``kinds`` declares the facts that it yields. ``collect`` may yield Gaps among its facts for
    the parts that it could not look at, and may raise SourceError, which becomes a Gap for all
    of its kinds; what it yielded before stays.
    """

    name: str
    kinds: tuple[FactKind, ...]

    def collect(self, system: System, run: Run) -> Iterable[Fact | Gap]:
        """Yield what can be observed about ``run`` in ``system``."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to cure a diagnosis: a change, how safe it is, and the reason for it.

    ``certain`` tells that this is the one right value (declared by the owner, or the same value
    after folding); otherwise it only ranks among candidates.
    """

    change: SetCells
    to: str
    tier: Tier
    reason: str
    certain: bool


class Fixer(Protocol):
    """Turns a diagnosis into proposals, best first; it never touches a database itself."""

    name: str

    def propose(self, diagnosis: Diagnosis, system: System) -> tuple[Proposal, ...]:
        """Return the ways to cure ``diagnosis``; () where there is none."""
