"""Code of others that is known to work: no crash, and how many false findings there are."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from doctor.linting import lint_paths
from tests.support.soak import PART

PACKAGES = ("alembic", "apscheduler", "celery", "coverage", "optuna")
SAMPLE = ("sqlite3", "json", "logging", "unittest", "email", "http", "importlib", "idlelib")
MOST = 0.01


@pytest.mark.slow
def test_code_of_others_has_next_to_no_findings():
    library, site = Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))
    parts = [library] if PART else [library / one for one in SAMPLE]
    paths = [*parts, *(site / one for one in PACKAGES)]
    report = lint_paths(paths)
    print(
        f"lint-sql: {len(report.findings)} findings in {report.files} files of others, "
        f"{report.statements} statements"
    )
    for one in report.findings:
        print(f"  {one.location} {one.code} {one.message}")
    unread = [one.reason for one in report.gaps if "no models" not in one.reason]
    assert [one for one in unread if "not valid Python" not in one] == []
    assert report.files > 500
    assert len(report.findings) <= MOST * report.files
    assert {one.code for one in report.findings} <= {"LINT005"}
