"""What the code believes about its tables; ``importing`` reads it by import, on request."""

from doctor.system.code.reader import look_at_models, read_models

__all__ = ["look_at_models", "read_models"]
