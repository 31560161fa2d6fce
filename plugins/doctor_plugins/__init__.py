"""The built-in probes and fixers: one topic a file, wired to the hooks and thin."""
