"""Layers: folders of YAML that are found, read, and rendered to objects and patches."""
