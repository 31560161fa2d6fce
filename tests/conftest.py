"""What every test gets: rules are never cached in the home of whoever runs the tests."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def cache_folder(tmp_path_factory):
    """Keep compiled rules for this session only."""
    os.environ["DOCTOR_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
