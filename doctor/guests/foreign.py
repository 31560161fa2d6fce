"""Probes and fixers of other plugins as Doctor sees them: asked through their host, screened."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from doctor.errors import SourceError
from doctor.guests.host import GuestError, Host
from doctor.guests.message import Description, outline
from doctor.guests.porter import Porter
from doctor.guests.wire import WireError, decode, encode
from doctor.model.diagnosis import Diagnosis
from doctor.model.evidence import Fact, FactField, FactKind, Gap
from doctor.model.system import Proposal, Run, System

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "list": tuple,
    "map": dict,
}


class GuestProbe:
    """A probe that runs in its plugin's process."""

    def __init__(self, host: Host, name: str, kinds: tuple[FactKind, ...]):
        self.name = name
        self.kinds = kinds
        self.host = host

    def collect(self, system: System, run: Run) -> Iterator[Fact | Gap]:
        """Yield what the guest observes, as far as it is what the probe declares.

        Raises SourceError for a guest that failed, after what came before that.
        """
        request = {
            "do": "collect",
            "name": self.name,
            "system": encode(outline(system)),
            "run": run.id,
        }
        failure: GuestError | None = None
        try:
            items = self.host.call(request, Porter(system).answer)
        except GuestError as error:
            items, failure = error.items, error
        try:
            for one in items:
                yield self._screened(one)
        except WireError as error:
            raise SourceError(f"the plugin {self.host.origin} lies: {error}") from None
        if failure is not None:
            raise SourceError(_reason(failure, self.host, "probe"))

    def _screened(self, item: Any) -> Fact | Gap:
        noun, data = _parted(item)
        names = {one.name: one for one in self.kinds}
        if noun == "Gap":
            gap = decode(Gap, data)
            kinds = tuple(one for one in gap.kinds if one in names)
            return Gap(self.name, gap.reason[:2000], kinds)
        if noun != "Fact":
            raise WireError(f"{noun!r:.50} is no observation")
        fact: Fact = decode(Fact, data)
        if fact.kind not in names:
            raise WireError(f"it brought a fact {fact.kind!r:.100}, which it does not declare")
        _check_fields(fact, names[fact.kind])
        return fact


class GuestFixer:
    """A fixer that runs in its plugin's process; what it proposes stays within the diagnosis.

    ``complaints`` hold why an answer was refused, for whoever examines.
    """

    is_foreign = True

    def __init__(self, host: Host, name: str):
        self.name = name
        self.host = host
        self.complaints: list[Gap] = []

    def propose(self, diagnosis: Diagnosis, system: System) -> tuple[Proposal, ...]:
        """Return the guest's proposals, () where it failed or one of them lies outside."""
        request = {
            "do": "propose",
            "name": self.name,
            "system": encode(outline(system)),
            "diagnosis": encode(diagnosis),
        }
        try:
            items = self.host.call(request, Porter(system).answer)
            return tuple(_proposal(one, diagnosis) for one in items)
        except GuestError as error:
            self._complain(_reason(error, self.host, "fixer"))
        except WireError as error:
            self._complain(f"the plugin {self.host.origin} is refused: {error}")
        return ()

    def _complain(self, reason: str) -> None:
        gap = Gap(f"fixer {self.name}", reason)
        if gap not in self.complaints:
            self.complaints.append(gap)


def read_description(data: Any) -> Description:
    """Return what a guest says that it brings; raises WireError."""
    found: Description = decode(Description, data)
    names = [*(one.name for one in found.probes), *found.fixers]
    if not all(one.strip() and one.isprintable() and len(one) <= 200 for one in names):  # noqa: PLR2004
        raise WireError("a name of a probe or fixer is no name")
    return found


def _reason(error: GuestError, host: Host, noun: str) -> str:
    if not error.is_own or error.is_source:
        return str(error)
    return f"the {noun} of the plugin {host.origin} failed: {error}"


def _parted(item: Any) -> tuple[Any, Any]:
    if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 - its noun and its fields
        raise WireError("an item that is none")
    return item[0], item[1]


def _check_fields(fact: Fact, kind: FactKind) -> None:
    if not math.isfinite(fact.order):
        raise WireError(f"the order of a fact {fact.kind!r} is {fact.order}")
    if fact.at is not None and fact.at.tzinfo is None:
        raise WireError(f"the time of a fact {fact.kind!r} has no zone")
    for name, value in fact.fields.items():
        declared = kind.field(name)
        if declared is None:
            raise WireError(f"a fact {fact.kind!r} has a field {name!r:.100} that is not declared")
        if not _is_of(declared, value):
            raise WireError(f"{fact.kind}.{name} is {value!r:.100}, not of type {declared.type}")
    missing = [one.name for one in kind.fields if one.required and one.name not in fact.fields]
    if missing:
        raise WireError(f"a fact {fact.kind!r} lacks its field {missing[0]!r}")


def _is_of(declared: FactField, value: object) -> bool:
    if isinstance(value, bool) and declared.type != "bool":
        return False
    return isinstance(value, _TYPES[declared.type])


def _proposal(item: Any, diagnosis: Diagnosis) -> Proposal:
    noun, data = _parted(item)
    if noun != "Proposal":
        raise WireError(f"{noun!r:.50} is no proposal")
    proposal: Proposal = decode(Proposal, data)
    change, subject = proposal.change, diagnosis.subject
    if subject is None or not subject.key:
        raise WireError("it changes something, and the diagnosis is about no row")
    where = f"{change.table}.{', '.join(change.to)}"
    if change.table != subject.table or set(change.to) != {subject.column}:
        raise WireError(f"its change of {where:.200} lies outside {subject.table}.{subject.column}")
    if not _same(change.key, subject.key):
        raise WireError(f"its change of {where} is about another row than the diagnosis")
    if not _same(change.expected, {subject.column: subject.value}):
        raise WireError(f"its change of {where} expects another value than the diagnosis")
    if proposal.to != str(change.to[subject.column]):
        raise WireError(f"it shows {proposal.to!r:.100} and would write another value")
    return proposal


def _same(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return _typed(one.items()) == _typed(other.items())


def _typed(cells: Iterable[tuple[str, object]]) -> list[tuple[str, str, object]]:
    return sorted(((name, type(value).__name__, value) for name, value in cells), key=_name)


def _name(cell: tuple[str, str, object]) -> str:
    return cell[0]
