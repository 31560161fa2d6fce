"""Which store remembers a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.engine import URL

from doctor.errors import UsageError
from doctor.store.identity import parsed_url, sqlite_path, state_folder, target_key
from doctor.store.note import note_store, read_note

Source = Literal["explicit", "noted", "configured", "default"]


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """The URL of a target's store, absolute, and where it was found."""

    url: str
    source: Source

    @property
    def noted(self) -> bool:
        """Tell whether every call without --store already uses this store."""
        return self.source == "noted"


def resolve_store(identity: str, explicit: str | None, configured: str | None) -> StoreChoice:
    """Choose the store of a target; reads its note and writes nothing.

    A store named by hand is used as it is and changes no note. Raises UsageError when the
    configured store is another one than the noted one.
    """
    if explicit:
        return StoreChoice(absolute_url(explicit), "explicit")
    note = read_note(identity)
    noted = note.store if note else None
    wanted = absolute_url(configured) if configured else None
    if noted is not None:
        _refuse_other(identity, wanted or noted, noted)
        return StoreChoice(noted, "noted")
    if wanted is not None:
        return StoreChoice(wanted, "configured")
    path = state_folder() / "stores" / f"{target_key(identity)}.db"
    return StoreChoice(_sqlite_url(str(path)), "default")


def has_store(url: str) -> bool:
    """Tell whether there may be a store at a URL; what is wrong with it shows when it is opened."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite":
        return True
    try:
        return sqlite_path(parsed).stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def note_choice(identity: str, choice: StoreChoice) -> None:
    """Note the store on its first use for writing; call it before the store is created.

    Raises UsageError when another call has noted another store meanwhile.
    """
    if choice.source in {"configured", "default"}:
        _refuse_other(identity, choice.url, note_store(identity, choice.url))


def absolute_url(url: str) -> str:
    """Return a store's URL such that it means the same in every working directory."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite":
        return parsed.render_as_string(hide_password=False)
    return _sqlite_url(str(sqlite_path(parsed)))


def shown_url(url: str) -> str:
    """Return a store's URL without its password."""
    return parsed_url(url).render_as_string(hide_password=True)


def _refuse_other(identity: str, wanted: str, noted: str) -> None:
    if wanted != noted:
        raise UsageError(
            f"the store {shown_url(wanted)!r} is not the one that remembers {identity!r}: "
            f"that is {shown_url(noted)!r}",
            hint=f"use the noted store: set [store] url = {shown_url(noted)!r}",
        )


def _sqlite_url(path: str) -> str:
    try:
        return URL.create("sqlite", database=path).render_as_string(hide_password=False)
    except UnicodeEncodeError:
        raise UsageError(f"the path {path!r} of a store is not UTF-8") from None
