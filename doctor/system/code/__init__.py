"""What the code believes about its tables; ``importing`` reads it by import, on request."""

from doctor.system.code.reader import read_models

__all__ = ["read_models"]
