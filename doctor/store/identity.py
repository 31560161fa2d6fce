"""What a system under care is called, so that every door means the same one."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from platformdirs import user_state_path
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from doctor.errors import UsageError

_ALIASES = {"mariadb": "mysql", "postgres": "postgresql"}
_THIS_MACHINE = frozenset(("127.0.0.1", "::1", "localhost"))
_DEFAULT_PORTS = {"postgresql": 5432, "mysql": 3306}
_SEARCH_PATH = re.compile(r"search_path\s*=\s*([^\s,]+)")


def target_identity(database_url: str) -> str:
    """Return the identity of a database, without credentials, driver and query.

    SQLite is named by the file's real path, so links and relative paths mean the same target. A
    search path that is set in the URL is part of it: another schema is another target.
    Raises UsageError for what is no database URL and for databases in memory.
    """
    url = parsed_url(database_url)
    engine = url.get_backend_name()
    if engine == "sqlite":
        return f"sqlite:{sqlite_path(url)}"
    engine = _ALIASES.get(engine, engine)
    host = (url.host or _first(url, "host")).lower()
    host = "localhost" if host in _THIS_MACHINE else host
    port = str(url.port or _first(url, "port") or _DEFAULT_PORTS.get(engine, ""))
    place = f"{host}:{port}" if port and port != str(_DEFAULT_PORTS.get(engine)) else host
    path = _SEARCH_PATH.search(_first(url, "options"))
    schema = f"#{path[1]}" if path and engine == "postgresql" else ""
    return f"{engine}://{place}/{url.database or ''}{schema}"


def api_identity(origin: str) -> str:
    """Return the identity of a system that is known by its API alone."""
    parts = urlsplit(origin)
    if not parts.scheme or not parts.hostname:
        raise UsageError(f"{_without_user(origin)!r} is not the URL of an API")
    port = f":{parts.port}" if parts.port else ""
    return f"api:{parts.scheme.lower()}://{parts.hostname.lower()}{port}"


def target_key(identity: str) -> str:
    """Return the short key under which files about a target are kept."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def state_folder() -> Path:
    """Return the folder of what Doctor keeps between calls; it may not exist yet."""
    configured = os.environ.get("DOCTOR_STATE_DIR")
    if configured:
        return Path(configured).expanduser().absolute()
    return user_state_path("doctor", appauthor=False)


def parsed_url(url: str) -> URL:
    """Parse a database URL; the error never repeats what may hold a password."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError(
            f"{_without_user(url)!r} is not a database URL",
            hint="write it as sqlite:///path/to/file.db or engine://host/name",
        ) from None


def sqlite_path(url: URL) -> Path:
    """Return the real path of a SQLite database, whichever way its URL is written."""
    name = url.database or ""
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if name in {"", ":memory:"} or url.query.get("mode") == "memory":
        raise UsageError("a SQLite database in memory is gone with its process: name a file")
    return Path(os.path.realpath(name))


def _first(url: URL, name: str) -> str:
    value = url.query.get(name, "")
    return value if isinstance(value, str) else value[0]


def _without_user(text: str) -> str:
    scheme, mark, rest = text.rpartition("://")
    _, at, tail = rest.rpartition("@")
    return f"{scheme}{mark}***@{tail}" if at else text
