"""The structure of a database beside that which the models declare."""

from doctor.system.structure.compare import compare

__all__ = ["compare"]
