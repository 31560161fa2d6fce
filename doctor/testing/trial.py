"""A plugin on a small system: run as its users will run it, looked at step by step."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Self

from doctor.doctor import Doctor
from doctor.evidence import collect_evidence
from doctor.evidence.opening import open_system
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Evidence
from doctor.model.examination import Examination, Treatment
from doctor.model.system import Proposal, Run, System
from doctor.model.tier import Tier
from doctor.registry import Pack, Registry, build_registry, own_entries
from doctor.testing.small_system import SmallSystem

_STATE = "DOCTOR_STATE_DIR"


class Trial:
    """Tries plugins on a system; a context manager.

    Args:
        system: what is looked at.
        modules: names of plugin modules, importable from here, as an entry point would name them.
        rules: folders with more rules.

    Raises:
        AssertionError: on entering, a module is no plugin that Doctor can use.
    """

    def __init__(self, system: SmallSystem, *modules: str, rules: tuple[Path, ...] = ()):
        self.system = system
        self._modules = modules
        self._rules = rules
        self._state: str | None = None

    def __enter__(self) -> Self:
        self._state = os.environ.get(_STATE)
        os.environ[_STATE] = str(self.system.folder / "state")
        try:
            self.registry = self._registry()
            store = f"sqlite:///{self.system.folder / 'doctor.db'}"
            self.doctor = Doctor(self.system.settings, store=store, registry=self.registry)
        except BaseException:
            self._put_back()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.doctor.close()
        self._put_back()

    def observe(self, probe: str, run: str | None) -> Evidence:
        """Return the facts and gaps of one probe about ``run``; None: about every run."""
        found = next((one for one in self.registry.probes if one.name == probe), None)
        if found is None:
            known = ", ".join(one.name for one in self.registry.probes)
            raise AssertionError(f"there is no probe {probe!r}; there are {known}")
        return collect_evidence([found], self._opened(run), Run(run))

    def propose(self, fixer: str, diagnosis: Diagnosis) -> tuple[Proposal, ...]:
        """Return what a fixer proposes; raises AssertionError with why Doctor refuses it."""
        found = self.registry.fixer(fixer)
        if found is None:
            known = ", ".join(one.name for one in self.registry.fixers)
            raise AssertionError(f"there is no fixer {fixer!r}; there are {known}")
        proposals = found.propose(diagnosis, self._opened(None))
        refused = self.registry.take_complaints()
        if refused:
            raise AssertionError(refused[0].reason)
        return proposals

    def examine(self, run: str) -> Examination:
        """Look at a run with all rules, those of the plugins too; nothing is written."""
        return self.doctor.examine(run)

    def heal(self, run: str, max_tier: Tier = Tier.SAFE) -> Treatment:
        """Treat a run as `doctor heal` would; what needs a human is asked, and stays as it is."""
        return self.doctor.treat(run, max_tier=max_tier)

    def _opened(self, run: str | None) -> System:
        return open_system(
            self.system.settings,
            run,
            self.doctor.memory.identity,
            self.doctor.book.mappings,
            lambda _logs: (),
            self.doctor.book.system(self.system.settings.system.kind),
        )

    def _registry(self) -> Registry:
        own, packs = own_entries()
        tried = [metadata.EntryPoint(one, one, "doctor.plugins") for one in self._modules]
        registry = build_registry([*own, *tried], packs)
        failed = [one for one in registry.records if one.failure is not None]
        if failed:
            raise AssertionError("\n".join(f"{one.name}: {one.failure}" for one in failed))
        more = tuple(Pack(str(one), one) for one in self._rules)
        return replace(registry, packs=(*registry.packs, *more))

    def _put_back(self) -> None:
        if self._state is None:
            os.environ.pop(_STATE, None)
        else:
            os.environ[_STATE] = self._state
