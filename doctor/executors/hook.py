"""The hook of this process, and its functions under the names that executors call."""

from __future__ import annotations

from doctor.executors.client import Hook

HOOK = Hook()
consult = HOOK.consult
aconsult = HOOK.aconsult
attempt = HOOK.attempt
observe_success = HOOK.observe_success
observe_progress = HOOK.observe_progress
