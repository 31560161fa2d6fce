"""From diagnoses to a plan, a decision, a repair by one protocol, its verification, its undo."""
