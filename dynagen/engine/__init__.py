"""Command lines of engines: what plan and verify both know of them."""
