"""What texts mean: YAML with positions, scalars, quantities, names, patterns, comments that silence, paths.

The door to ruamel.yaml and to RE2.
"""
