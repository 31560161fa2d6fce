"""Names that are used from outside: by click, pluggy, http.server, dataclass readers, users."""
