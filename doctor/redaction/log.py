"""Doctor's own log: quiet unless a host or DOCTOR_DEBUG wants it, one line an entry, no secrets."""

from __future__ import annotations

import os
import sys
import traceback
from functools import cache
from typing import TYPE_CHECKING

from doctor.redaction.terminal import one_line
from doctor.redaction.text import redact

if TYPE_CHECKING:
    from loguru import Logger


def debug(message: str, error: Exception) -> None:
    """Log what was caught and where, as one line without secrets.

    The traceback is text by then: no sink of a host can print the values of variables from it.
    """
    trace = "".join(traceback.format_exception(error))
    _logger().debug("{}", one_line(redact(f"{message}: {trace}")))


@cache
def _logger() -> Logger:
    """Return the logger, disabled for a host that did not ask for it."""
    from loguru import logger

    if os.environ.get("DOCTOR_DEBUG"):
        logger.remove()
        logger.add(sys.stderr, format="{level} {message}", diagnose=False, backtrace=False)
        logger.enable("doctor")
    else:
        logger.disable("doctor")
    return logger
