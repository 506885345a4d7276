"""`python tether.py PARENT PROGRAM ARGUMENT...` becomes PROGRAM, and dies with the process PARENT, however that ends.

A program of its own because code between fork and exec (`preexec_fn`) is not safe when the parent has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # source: prctl(2); the setting survives execve

if __name__ == "__main__":
    parent, program = int(sys.argv[1]), sys.argv[2]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        sys.exit(1)
    os.execv(program, sys.argv[2:])
