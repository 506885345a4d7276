"""Command lines of containers: how they are written, and what the programs that they start say to their arguments."""
