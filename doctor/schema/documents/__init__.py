"""Documentation of tables and columns: made from what is declared and stored, and held to it."""

from doctor.schema.documents.comments import comment_statements
from doctor.schema.documents.descriptions import FILLED, missing_descriptions, read_descriptions
from doctor.schema.documents.entries import gather, make_entries
from doctor.schema.documents.misfits import documentation_facts

__all__ = [
    "FILLED",
    "comment_statements",
    "documentation_facts",
    "gather",
    "make_entries",
    "missing_descriptions",
    "read_descriptions",
]
