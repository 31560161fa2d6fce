"""Plugins of others run here: each in a process of its own, behind a pipe.

``host`` is the side of Doctor: it starts, limits, asks and ends the process. ``child`` is the
other side: it loads the plugin and serves its probes and fixers. Nothing else crosses than JSON
that is decoded by the declared types, and the read door stays on the side of Doctor.
"""
