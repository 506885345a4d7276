"""Published types of Kubernetes in, the sets in `schemas/` out, and CRDs again from those. Not loaded when building.

`dialect` translates one schema and back, `kinds` and `openapi` read the published forms, `hoisting` stores repeated
parts once, `sets` says what is in the files, `importing` does it all, `rebuild` makes CRDs.
"""
