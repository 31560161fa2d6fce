"""The retry hook: what runs in an executor's process, and the child that does the work."""
