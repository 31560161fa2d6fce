"""Messages with values: ``${name}`` and ``${name!r}`` are replaced once, ``$$`` means ``$``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from doctor.model.evidence import Value

_PLACE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[a-z_][a-z0-9_]*)(?P<repr>!r)?\})")
_MISSING = "?"


def render(template: str, values: Mapping[str, Value]) -> str:
    """Return the template with its values; what a value says is never read as a template.

    A list reads ``a, b, c``, a mapping ``a=1, b=2``, a boolean ``true``, None ``null``. A name
    without a value reads ``?``: optional fields may not have been observed.
    """

    def replace(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if match["name"] not in values:
            return _MISSING
        return _shown(values[match["name"]], match["repr"] is not None)

    return _PLACE.sub(replace, template)


def template_names(template: str) -> tuple[str, ...]:
    """Return the names that a template asks for, each once, in order."""
    names = (match["name"] for match in _PLACE.finditer(template))
    return tuple(dict.fromkeys(name for name in names if name))


def stray_dollar(template: str) -> int | None:
    """Return the index of the first ``$`` that begins neither a name nor ``$$``, or None."""
    index = template.find("$")
    while index >= 0:
        match = _PLACE.match(template, index)
        if match is None:
            return index
        index = template.find("$", match.end())
    return None


def _shown(value: Value, quoted: bool) -> str:  # noqa: FBT001  # as written in the template
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_shown(value[key], quoted)}" for key in value)
    if isinstance(value, tuple):
        return ", ".join(_shown(one, quoted) for one in value)
    if isinstance(value, str):
        return repr(value) if quoted else value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)
