"""Trees of values that know where they came from, and their strategic merge."""
