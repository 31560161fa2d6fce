"""Runs of a system: where they are kept, and how the API answers for one."""

from doctor.runs.active import count_active
from doctor.runs.known import is_known_run
from doctor.runs.layout import find_layout
from doctor.runs.recognised import recognised
from doctor.runs.route import find_route, run_of_path
from doctor.runs.spelling import stored_spelling

__all__ = [
    "count_active",
    "find_layout",
    "find_route",
    "is_known_run",
    "recognised",
    "run_of_path",
    "stored_spelling",
]
