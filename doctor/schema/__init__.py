"""What is known about tables: accepted values, missing parts, what could replace a value."""

from doctor.schema.bad_cells import bad_cells
from doctor.schema.enum_values import invalid_values
from doctor.schema.missing import missing_parts, missing_runs
from doctor.schema.replacement import rank_values
from doctor.schema.statement import update_statement

__all__ = [
    "bad_cells",
    "invalid_values",
    "missing_parts",
    "missing_runs",
    "rank_values",
    "update_statement",
]
