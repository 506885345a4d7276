"""One file per check, with a function `check(objects, cluster, findings)`. A new file is a new check."""
