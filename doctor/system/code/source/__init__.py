"""Source files, and what the names in them stand for, without running anything."""
