"""Values as the JSON that every door emits."""
