"""What the code believes about its tables: read from its source, or by importing it on request."""

from doctor.system.code.importing import import_models
from doctor.system.code.reader import read_models

__all__ = ["import_models", "read_models"]
