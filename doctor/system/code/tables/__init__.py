"""Mapped classes and tables, read from their statements."""
