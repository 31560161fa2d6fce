"""For authors of plugins and rules: try them on a small system, the way Doctor runs them.

``SmallSystem`` is a database (and models, where wanted) in a folder of the test. ``Trial`` puts a
plugin on it: the plugin runs in a process of its own, as it will for its users, and what it does
can be looked at step by step: ``observe`` runs a probe, ``propose`` asks a fixer, ``examine`` and
``heal`` go the whole way with the plugin's rules. ``check_rules`` lints rules and runs their
tests. What is wrong is an AssertionError that says so; no test framework is needed.
"""

from doctor.testing.expect import expect_fact, expect_no_gaps
from doctor.testing.rules import check_rules
from doctor.testing.small_system import SmallSystem, build_system, sick_cell
from doctor.testing.trial import Trial

__all__ = [
    "SmallSystem",
    "Trial",
    "build_system",
    "check_rules",
    "expect_fact",
    "expect_no_gaps",
    "sick_cell",
]
