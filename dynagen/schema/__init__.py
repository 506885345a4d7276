"""Kind and version in, its schema out; whether a value conforms to it, and why not. The door to jsonschema."""
