"""The command line. One file per command; the only modules that read arguments, print and exit. The door to click.

`_building` runs the most common call without click, which takes a tenth of a build to load; `_group` has all of them.
"""
