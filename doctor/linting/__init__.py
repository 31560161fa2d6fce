"""The SQL that a source tree holds, held against what models and database know."""

from doctor.linting.tree import lint_paths

__all__ = ["lint_paths"]
