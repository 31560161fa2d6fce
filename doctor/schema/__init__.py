"""What is known about tables: accepted values, missing parts, what could replace a value."""

from doctor.schema.bad_cells import bad_cells
from doctor.schema.contradictions import contradictions
from doctor.schema.drift import structural_drift
from doctor.schema.duplicates import duplicate_rows
from doctor.schema.enum_values import invalid_values
from doctor.schema.hints import replacement_hints
from doctor.schema.missing import missing_parts, missing_runs
from doctor.schema.orphans import orphan_rows
from doctor.schema.replacement import rank_values
from doctor.schema.requirements import unmet_requirements
from doctor.schema.search import search_tables
from doctor.schema.statement import column_statement, update_statement
from doctor.schema.stored_objects import unreadable_objects

__all__ = [
    "bad_cells",
    "column_statement",
    "contradictions",
    "duplicate_rows",
    "invalid_values",
    "missing_parts",
    "missing_runs",
    "orphan_rows",
    "rank_values",
    "replacement_hints",
    "search_tables",
    "structural_drift",
    "unmet_requirements",
    "unreadable_objects",
    "update_statement",
]
