"""``doctor watch``: reads what a command prints while it runs, and ends its loops."""
