"""Published types of Kubernetes in, the sets in `schemas/` out, and CRDs again from those. Not loaded when building.

`tightening` translates one schema to the `dialect` of the sets and `loosening` back, `kinds` and `openapi` read the
published forms, `shared_parts` stores repeated parts once, `set_files` says what is in the files, `importing` does it
all, `crds` makes CRDs.
"""
