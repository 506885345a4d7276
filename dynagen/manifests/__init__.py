"""Manifests: objects under construction, in both versions of graphs, as YAML, in a folder."""
