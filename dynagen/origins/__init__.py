"""Which lines of the profile a value in a manifest comes from."""
