"""Checks of finished manifests, one file per kind of check."""
