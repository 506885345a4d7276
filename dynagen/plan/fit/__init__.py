"""Whether a model fits its GPUs: by parallelism, precision and memory. The profile's errors, before a GPU is billed.

Facts come from data files; docs/fit.md says the formulas. Nothing is judged of a model that is not known.
"""
