"""Looking at a system: collect evidence, let the rules speak, say what would cure it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from doctor.errors import SourceError, UsageError
from doctor.evidence import LogProbe, collect_evidence
from doctor.evidence.opening import open_system
from doctor.inference import Engine, demote_stale, diagnose, infer, rule_diagnoses
from doctor.model.evidence import Evidence, Gap
from doctor.model.examination import Examination, Survey
from doctor.model.system import Probe, Run, System
from doctor.registry import Registry
from doctor.rulebook.book import Book
from doctor.rulebook.signatures import SignatureSet
from doctor.runs import is_known_run, recognised, stored_spelling
from doctor.settings import Settings
from doctor.treatment.memory import Memory
from doctor.treatment.planning import prescribe

if TYPE_CHECKING:
    from doctor.evidence.trial import ProbeTrial

STRUCTURE = "schema."
NOTHING_CHECKED = "neither models with a database nor an API is configured: nothing was checked"


class Examined(NamedTuple):
    """An examination, and what it looked at and through: a treatment goes on with these."""

    examination: Examination
    system: System
    probes: tuple[Probe, ...]


class Examiner:
    """Looks, and never writes to the system under care."""

    def __init__(
        self, settings: Settings, registry: Registry, book: Book, engine: Engine, memory: Memory
    ):
        self._settings = settings
        self._registry = registry
        self._book = book
        self._engine = engine
        self._memory = memory
        self._signatures = SignatureSet(book.signatures, remembers=True)

    def examine(self, run: str, choices: Mapping[str, str] | None = None) -> Examined:
        """Look at one run; raises UsageError when it is found nowhere.

        ``choices`` maps ``table.column`` of open cells to the value that should stand there. A run
        may be named by its uuid with or without dashes, however the database keeps it.
        """
        system, probes = self.open(run)
        evidence = self._collect(probes, system, Run(run))
        if not is_known_run(system, evidence, run):
            other = stored_spelling(system, run)
            if other is not None:
                return self.examine(other, choices)
            raise UsageError(
                f"run {run!r} is found nowhere: not in the database, the logs or the API",
                hint="check the id; `doctor preflight` lists the runs that are sick",
            )
        inference = infer(self._book.rules, evidence, self._engine)
        found = demote_stale(
            diagnose(self._book.rules, inference.verdicts), evidence, self._memory.repaired(run)
        )
        every = {rule.id: rule for rule in self._book.rules}
        prescription = prescribe(
            found, every, self._registry.fixer, system, run, choices, self._memory.failed_rungs(run)
        )
        evidence = replace(evidence, gaps=(*evidence.gaps, *self._registry.take_complaints()))
        examination = Examination(
            run,
            evidence,
            inference.verdicts,
            (*prescription.diagnoses, *rule_diagnoses(self._book.warnings)),
            prescription.plan if inference.agreed else None,
            prescription.plans if inference.agreed else {},
            prescription.open_cells if inference.agreed else (),
            inference.agreed,
            inference.note,
            self._memory.open_incident(run),
        )
        return Examined(examination, system, probes)

    def preflight(self) -> Survey:
        """Look at the whole system: one sick run never blocks the verdict on the others."""
        system, probes = self.open(None)
        evidence = self._collect(probes, system, Run(None))
        inference = infer(self._book.rules, evidence, self._engine)
        found = diagnose(self._book.rules, inference.verdicts)
        every = {rule.id: rule for rule in self._book.rules}
        shown = (
            *prescribe(found, every, self._registry.fixer, system, "").diagnoses,
            *rule_diagnoses(self._book.warnings),
        )
        sick: dict[str, list[int]] = {}
        for number, one in enumerate(shown):
            if one.is_finding and one.join and one.join[0]:
                sick.setdefault(one.join[0], []).append(number)
        evidence = replace(evidence, gaps=(*evidence.gaps, *self._registry.take_complaints()))
        examination = Examination(
            "", evidence, inference.verdicts, shown, agreed=inference.agreed, note=inference.note
        )
        return Survey(
            examination,
            _count_runs(system),
            {run: tuple(shown[one] for one in many) for run, many in sick.items()},
            tuple(one for one in shown if not (one.join and one.join[0])),
        )

    def compare_schema(self, tables: Collection[str] = ()) -> Examination:
        """Compare the structure of the database with the models; () means every table.

        Raises UsageError where there is nothing to compare, or no such table on either side.
        """
        system, probes = self.open(None)
        if system.database is None or system.code is None:
            raise UsageError(
                "a database and models are needed to compare them",
                hint="give --database and --models, or name them in doctor.toml",
            )
        found = collect_evidence([one for one in probes if is_structural(one)], system, Run(None))
        evidence = about_tables(found, tables, system)
        inference = infer(self._book.rules, evidence, self._engine)
        shown = (
            *diagnose(self._book.rules, inference.verdicts),
            *rule_diagnoses(self._book.warnings),
        )
        return Examination(
            "", evidence, inference.verdicts, shown, agreed=inference.agreed, note=inference.note
        )

    def try_plugins(self) -> tuple[ProbeTrial, ...]:
        """Run the probes of foreign plugins once over the whole system; nothing is concluded."""
        from doctor.evidence.trial import try_probes

        return tuple(try_probes(self._registry.probes, self.open(None)[0]))

    def open(self, run: str | None) -> tuple[System, tuple[Probe, ...]]:
        """Return the system for one run, None for all, and the probes to look with."""
        logs = LogProbe(self._book.signature_kinds, self._signatures)
        system = open_system(
            self._settings,
            run,
            self._memory.identity,
            self._book.mappings,
            logs.paths,
            self._book.system(self._settings.system.kind),
        )
        return system, (*self._registry.probes, logs)

    def remember(self) -> None:
        """Keep on disk what makes the next start quicker."""
        self._signatures.remember()

    def _collect(self, probes: Sequence[Probe], system: System, run: Run) -> Evidence:
        evidence = collect_evidence([one for one in probes if not is_structural(one)], system, run)
        failed = tuple(
            Gap(f"plugin {one.name}", one.failure)
            for one in self._registry.records
            if one.failure is not None
        )
        is_blind = (system.database is None or system.code is None) and system.api is None
        blind = (Gap("doctor", NOTHING_CHECKED + self._offered(system)),) if is_blind else ()
        return Evidence(evidence.facts, (*evidence.gaps, *failed, *self._book.gaps, *blind))

    def _offered(self, system: System) -> str:
        """Return which description would fit a database without models."""
        try:
            tables = system.database.tables() if system.database else ()
        except SourceError:
            return ""
        found = recognised(self._book.systems.values(), tables)
        return (
            f"; its tables are those of {found[0].name}: --system {found[0].name}" if found else ""
        )


def is_structural(probe: Probe) -> bool:
    """Tell whether a probe compares structure: that is asked for by itself, and concerns no run."""
    return bool(probe.kinds) and all(one.name.startswith(STRUCTURE) for one in probe.kinds)


def about_tables(evidence: Evidence, tables: Collection[str], system: System) -> Evidence:
    """Return what of the evidence is about ``tables``; () means all of it."""
    if not tables:
        return evidence
    known = {one.name for one in system.database.tables()} if system.database else set()
    known |= {one.name for one in system.code.models().tables} if system.code else set()
    known |= {str(one.fields.get("table")) for one in evidence.facts}
    for name in tables:
        if name not in known:
            raise UsageError(f"neither the models nor the database have a table {name!r}")
    return Evidence(
        tuple(one for one in evidence.facts if one.fields.get("table") in tables),
        tuple(one for one in evidence.gaps if _is_about(one, known, tables)),
    )


def _is_about(gap: Gap, known: Collection[str], tables: Collection[str]) -> bool:
    table = gap.reason.partition(":")[0]
    return table in tables or table not in known


def _count_runs(system: System) -> int | None:
    if system.database is None or system.layout is None:
        return None
    try:
        return system.database.count(system.layout.run.table, {})
    except SourceError:  # the probes say why; what they found elsewhere stays
        return None
