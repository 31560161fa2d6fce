"""Values by their dotted path, read from source that is never imported."""

from __future__ import annotations

import sys

import pytest

from doctor.system.code.lookup import Lookup
from doctor.system.code.source.symbols import UnreadableError

SOURCE = """\
import enum
raise SystemExit("this module must never run")
class State(enum.Enum):
    OPEN = "open"
    DONE = "done"
    CLOSED = "done"
class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
LISTED = ["a", "b", "a"]
PAIRED = {"K": "v", "L": "w"}
JOINED = frozenset({State.OPEN.value, "later"})
ALIAS = State
class Names:
    KNOWN = ("x", "y")
NOTHING = []
ODD = [1.5]
LATER = open("x")
"""


@pytest.fixture
def lookup(tmp_path):
    package = tmp_path / "looked_up"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("from .deep.states import State as Exported\n")
    (package / "deep" / "__init__.py").write_text("")
    (package / "deep" / "states.py").write_text(SOURCE)
    return Lookup([tmp_path])


@pytest.mark.parametrize(
    ("name", "stored", "values"),
    [
        ("State", "names", ("OPEN", "DONE")),
        ("State", "values", ("open", "done")),
        ("ALIAS", "values", ("open", "done")),
        ("Level", "values", ("1", "2")),
        ("LISTED", "values", ("a", "b")),
        ("PAIRED", "names", ("K", "L")),
        ("PAIRED", "values", ("v", "w")),
        ("JOINED", "values", ("later", "open")),
        ("Names.KNOWN", "values", ("x", "y")),
    ],
)
def test_an_enum_a_list_a_set_and_a_dict_are_read(lookup, name, stored, values):
    assert lookup.values(f"looked_up.deep.states:{name}", stored).values == values


def test_what_a_package_hands_on_is_followed(lookup):
    found = lookup.values("looked_up:Exported", "names")
    assert (found.values, found.aliases) == (("OPEN", "DONE"), ("CLOSED",))
    assert found.location.endswith("states.py:3")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("looked_up.deep.states:Gone", "is not defined"),
        ("looked_up.deep.gone:State", "no module"),
        ("not_installed_anywhere:State", "is not installed here"),
        ("looked_up.deep.states:NOTHING", "names no value"),
        ("looked_up.deep.states:ODD", "neither text nor a whole number"),
        ("looked_up.deep.states:LATER", "is not followed"),
        ("sys:argv", "not installed here"),
    ],
)
def test_what_cannot_be_read_says_why(lookup, path, reason):
    with pytest.raises(UnreadableError, match=reason):
        lookup.values(path, "values")


def test_an_installed_package_is_found_and_not_imported():
    before = set(sys.modules)
    assert "SUCCESS" in Lookup().values("celery.states:ALL_STATES", "values").values
    assert not {one for one in set(sys.modules) - before if one.startswith("celery")}
