"""What is known about ids, as a JSON document, and as lines for doctor.toml."""

from __future__ import annotations

import json
from typing import Any

from doctor.ids import IdCheck
from doctor.model.ids import ColumnIds, IdConventions
from doctor.report.plain import plain


def conventions_json(found: IdConventions, exit_code: int) -> dict[str, Any]:
    """Return what ``doctor ids infer --format json`` prints."""
    return {
        "exit_code": exit_code,
        "columns": [_column(one) for one in found.columns],
        "gaps": [{"probe": one.probe, "reason": one.reason} for one in found.gaps],
    }


def check_json(found: IdCheck, exit_code: int) -> dict[str, Any]:
    """Return what ``doctor ids check --format json`` prints."""
    return {
        "exit_code": exit_code,
        "id": found.id,
        "column": found.column,
        "family": found.family.template if found.family else None,
        "warnings": list(found.warnings),
        "note": found.note,
        "next": list(found.nearest),
    }


def pinned_text(found: IdConventions) -> str:
    """Return the conventions as they would stand in doctor.toml."""
    lines: list[str] = []
    for one in found.columns:
        if one.kind == "text" and one.convention.families:
            lines.append(f"[ids.{json.dumps(one.column)}]")
            lines.append("patterns = [")
            lines += [
                f"  {json.dumps(each.pattern, ensure_ascii=False)},  # {each.template}"
                for each in one.convention.families
            ]
            lines += ["]", ""]
    return "\n".join(lines)


def _column(one: ColumnIds) -> dict[str, Any]:
    convention = plain(one.convention)
    return {
        "column": one.column,
        "kind": one.kind,
        "rows_read": one.rows,
        "rows": one.of,
        "numbered": one.numbered,
        "parent": one.parent,
        "has_convention": bool(one.convention.families),
        **{name: value for name, value in convention.items() if name != "families"},
        "families": convention["families"],
        "relations": plain(one.relations),
    }
