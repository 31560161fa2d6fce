"""The tables of a store."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from doctor.errors import UsageError
from doctor.redaction import redact

SCHEMA_VERSION = 4  # 2: evaluations; 3: bodies, leases, stops, sightings; 4: pins
SINCE = "since"  # the version in which a table came

metadata = MetaData()


def storable(text: str) -> str:
    """Return text without secrets that every database takes: unpaired surrogates are escaped."""
    return redact(text).encode("utf-8", "backslashreplace").decode()


def instant(at: datetime) -> str:
    """Return an aware time as text that sorts by time."""
    if at.tzinfo is None:
        raise ValueError("the clock must be aware")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def parse_instant(text: str) -> datetime:
    """Return the time that ``instant`` wrote; raises UsageError for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError(f"the store is damaged: {text!r} is not a time")
    return at


class Instant(TypeDecorator[datetime]):
    """An aware time, kept as text that sorts by time."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write the time in UTC."""
        del dialect
        return None if value is None else instant(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read an aware time."""
        del dialect
        return None if value is None else parse_instant(value)


class Words(TypeDecorator[str]):
    """Text from outside, made storable."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape what UTF-8 cannot hold."""
        del dialect
        return None if value is None else storable(value)


meta = Table(
    "meta",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("target", Words, nullable=False),
    Column("incident", Words),
    Column("fix", Words),
    Column("run", Words),
    Column("summary", Words, nullable=False),
    Column("data", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

# What an entry of the journal tells. The entry holds its digest, so that it can be dropped later.
bodies = Table(
    "bodies",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("summary", Words, nullable=False),
    Column("data", Text, nullable=False),
    info={SINCE: 3},
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Words, primary_key=True),
    Column("target", Words, nullable=False),
    Column("run", Words, nullable=False),
    Column("cause", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("state", String(16), nullable=False),
    Column("title", Words, nullable=False),
    Column("plans", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("count", Integer, nullable=False),
)
Index(
    "one_unclosed_incident",
    incidents.c.target,
    incidents.c.run,
    incidents.c.cause,
    incidents.c.subject,
    unique=True,
    sqlite_where=incidents.c.state != "closed",
)

fixes = Table(
    "fixes",
    metadata,
    Column("id", Words, primary_key=True),
    Column("target", Words, nullable=False),
    Column("run", Words, nullable=False),
    Column("incident", Words),
    Column("approval", Words),
    Column("plan", Text, nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Words, nullable=False),
    Column("images", Text),
    Column("intended_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
Index("fixes_of_run", fixes.c.target, fixes.c.run)

budget = Table(
    "budget",
    metadata,
    Column("fix", Words, primary_key=True),
    Column("target", Words, nullable=False),
    Column("run", Words, nullable=False),
    Column("points", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", Instant, nullable=False),
)
Index("budget_of_window", budget.c.target, budget.c.at)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Words, primary_key=True),
    Column("target", Words, nullable=False),
    Column("run", Words, nullable=False),
    Column("plans", Text, nullable=False),
    Column("requester", Words, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("expires_ledger", Instant, nullable=False),
    Column("decision", String(16)),
    Column("plan", String(64)),
    Column("decided_by", Words),
    Column("decided_at", Instant),
    Column("used_at", Instant),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("target", Words, primary_key=True),
    Column("rule", Words, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("evaluated", Integer, nullable=False),
    Column("matched", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("last_match", Instant),
    info={SINCE: 2},
)

leases = Table(
    "leases",
    metadata,
    Column("target", Words, primary_key=True),
    Column("token", Integer, nullable=False),
    Column("holder", Words, nullable=False),
    Column("place", Words, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("released", Boolean, nullable=False),
    info={SINCE: 3},
)

stops = Table(
    "stops",
    metadata,
    Column("target", Words, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("reason", Words, nullable=False),
    Column("incident", Words, nullable=False),
    Column("resumed_at", Instant),
    info={SINCE: 3},
)

sightings = Table(
    "sightings",
    metadata,
    Column("target", Words, primary_key=True),
    Column("run", Words, primary_key=True),
    Column("at", Instant, nullable=False),
    info={SINCE: 3},
)
Index("sightings_of_window", sightings.c.target, sightings.c.at)

# The rows of repairs in batches: part -1 is the plan itself, each other one of its changes.
pins = Table(
    "pins",
    metadata,
    Column("target", Words, primary_key=True),
    Column("plan", String(64), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("run", Words, nullable=False),
    Column("content", Text, nullable=False),
    info={SINCE: 4},
)
