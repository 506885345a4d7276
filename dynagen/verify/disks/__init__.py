"""Disks of Compute Engine: what a claim may ask of them, and on how many nodes they can be."""
