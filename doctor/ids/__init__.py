"""How the ids of a system are made up: learned from its rows, never from names that code knows."""

from doctor.ids.conventions import IdCheck, check_id, id_convention
from doctor.ids.learning import learn
from doctor.ids.unusual import unusual_ids

__all__ = ["IdCheck", "check_id", "id_convention", "learn", "unusual_ids"]
