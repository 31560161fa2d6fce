"""The ports to the system under care: the only place that does I/O on it."""
