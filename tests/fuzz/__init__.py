"""Inputs of all kinds that must end in a report, never in a traceback, a hang or all of the memory. `make fuzz`."""
