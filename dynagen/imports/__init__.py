"""Published types of Kubernetes in, the sets in `schemas/` out, and CRDs again from those. Not loaded when building.

`dialect` translates one schema and back, `crd` and `openapi` read the two published forms, `hoisting` stores repeated parts
once, `sets` reads and writes folders and `SOURCES.yaml`, `rebuild` makes CRDs.
"""
