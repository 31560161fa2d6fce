"""The fact kinds that any log brings, whatever the signatures."""

from __future__ import annotations

from doctor.model.evidence import FactField, FactKind

TRACEBACK = FactKind(
    "error.traceback",
    "a Python traceback in a log, with the exception that it ends in and the one it began with",
    (
        FactField("run"),
        FactField("type"),
        FactField("message"),
        FactField("root_type"),
        FactField("root_message"),
        FactField("file", required=False),
        FactField("line", "int", required=False),
        FactField("failures_after", "int", required=False),
    ),
)
LOG_END = FactKind(
    "log.end",
    "how a log ends, where that can be told: complete, or abrupt in the middle of its work",
    (FactField("run"), FactField("ended"), FactField("failures_after", "int", required=False)),
)
LOG_KINDS = (TRACEBACK, LOG_END)
