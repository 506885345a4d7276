"""Files and folders in, what is wrong with them out: profiles, plain manifests, and other programs' files."""
