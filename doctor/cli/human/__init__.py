"""Values as text for a tired operator: the cause first, its evidence, then what to do."""
