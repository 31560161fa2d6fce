"""``doctor demo``: a small executor system fails for ever, then heals at its first failing call."""

from doctor.demo.show import run_demo

__all__ = ["run_demo"]
