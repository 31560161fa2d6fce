"""What Doctor remembers about the system under care, opened only when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from doctor.errors import UsageError
from doctor.model.change import Plan
from doctor.settings import Settings
from doctor.store.choice import has_store, note_choice, resolve_store
from doctor.store.identity import api_identity, target_identity
from doctor.store.uptime import Uptime, no_uptime

if TYPE_CHECKING:
    from doctor.store import Limits, Store


class Memory:
    """The store of one target. Reading never creates it; the first use for writing notes it."""

    def __init__(
        self,
        settings: Settings,
        explicit: str | None,
        clock: Callable[[], datetime],
        uptime: Callable[[], Uptime | None] = no_uptime,
    ):
        self.settings = settings
        self.clock = clock
        self._uptime = uptime
        self._store: Store | None = None
        self._is_writable = False
        self.identity = _identity(settings)
        self._choice = resolve_store(self.identity, explicit, settings.store.url)

    @property
    def url(self) -> str:
        """Where the store is, or would be."""
        return self._choice.url

    @property
    def limits(self) -> Limits:
        """The risk budget."""
        from doctor.store import Window

        budget = self.settings.budget
        return {
            "run": Window(budget.run.points, budget.run.per),
            "system": Window(budget.system.points, budget.system.per),
        }

    def open_for_reading(self) -> Store | None:
        """Return the store, or None where nothing was remembered yet."""
        if self._store is None and has_store(self._choice.url):
            from doctor.store import open_store

            self._store = open_store(
                self._choice.url,
                self.clock,
                target=self.identity,
                create=False,
                uptime=self._uptime,
            )
        return self._store

    def open_for_writing(self) -> Store:
        """Return the store, made and noted on its first use."""
        if self._store is None or not self._is_writable:
            from doctor.store import open_store

            self.close()
            note_choice(self.identity, self._choice)
            self._store = open_store(
                self._choice.url,
                self.clock,
                target=self.identity,
                create=True,
                uptime=self._uptime,
            )
            self._is_writable = True
        return self._store

    def repaired(self, run: str) -> datetime | None:
        """Return when the last verified repair of a run was done."""
        store = self.open_for_reading()
        fixes = store.fixes.find(run=run) if store else ()
        return max((one.updated_at for one in fixes if one.state == "verified"), default=None)

    def failed_rungs(self, run: str) -> frozenset[str]:
        """Return the rungs of ladders whose last repair of a run was not verified."""
        store = self.open_for_reading()
        if store is None:
            return frozenset()
        from doctor.treatment.track_record import failed_rungs

        return failed_rungs(store.fixes.find(run=run))

    def open_incident(self, run: str) -> str | None:
        """Return the id of the newest incident of a run that is not closed."""
        store = self.open_for_reading()
        known = store.incidents.find(run=run) if store else ()
        return next((one.id for one in reversed(known) if one.state != "closed"), None)

    def approved(self, run: str) -> tuple[str, ...]:
        """Return the hashes of the plans of a run that a human approved and nobody used yet."""
        store = self.open_for_reading()
        known = store.approvals.find(run=run) if store else ()
        return tuple(one.plan for one in known if one.state == "approved" and one.plan)

    def offered(self, run: str, plans: Mapping[str, Plan]) -> dict[str, str] | None:
        """Return the choices behind an approved plan of a run that is not among ``plans``."""
        store = self.open_for_reading()
        missing = [one for one in self.approved(run) if one not in plans]
        for entry in store.journal.entries(kinds=("offered",), run=run) if store else ():
            if entry.data.get("plan") in missing:
                return dict(entry.data["choices"])
        return None

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()
            self._store = None


def _identity(settings: Settings) -> str:
    system = settings.system
    if system.database is not None:
        return target_identity(system.database)
    if system.api is not None:
        from doctor.system.api import BoundedApi

        return api_identity(BoundedApi(system.api).origin)
    if not system.logs:
        raise UsageError(
            "nothing is configured that could be examined",
            hint="run `doctor init`, or give --database, --api or --log",
        )
    return "logs:" + ",".join(sorted(system.logs))
