"""What a probe saw, for plans that are made by hand."""

from __future__ import annotations

from doctor.model.change import Change, Seen


def seen(*changes: Change, kind: str = "database.invalid_value") -> tuple[Seen, ...]:
    """Return the evidence that justifies each change, as a probe of the database gives it."""
    return tuple(Seen(kind, "database", number) for number in range(len(changes)))
