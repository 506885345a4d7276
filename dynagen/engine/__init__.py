"""Command lines of engines and versions of Dynamo: what plan and verify both know of them."""
