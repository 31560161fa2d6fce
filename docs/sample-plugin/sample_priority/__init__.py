"""Priorities that the scheduler cannot read: found, explained, repaired."""
