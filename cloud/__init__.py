"""DISCO on many machines: `python -m cloud.prepare`, `.train`, `.generate` and `.evaluate` run the library on Ray.

Each is the same command on a laptop, where Ray starts in the process, and on a cluster, which `--address` names. What
is done stays done: a command that was stopped goes on when it is started again. Only the modules here import Ray.
"""
