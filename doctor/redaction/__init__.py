"""Secrets out of whatever is stored or printed: the lowest room, pure but for what it was told.

Every sink goes through here: a secret is known by the name that it stands behind, by its shape, or
because it was configured. Redacting twice changes nothing more.
"""

from doctor.redaction.known import remember, remember_environment, remember_url
from doctor.redaction.names import is_secret_name
from doctor.redaction.terminal import json_escaped, one_line, tame
from doctor.redaction.text import REDACTED, may_hold_secrets, redact
from doctor.redaction.values import redact_value

__all__ = [
    "REDACTED",
    "is_secret_name",
    "json_escaped",
    "may_hold_secrets",
    "one_line",
    "redact",
    "redact_value",
    "remember",
    "remember_environment",
    "remember_url",
    "tame",
]
