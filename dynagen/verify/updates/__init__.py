"""What API servers and controllers do not let an update change."""
