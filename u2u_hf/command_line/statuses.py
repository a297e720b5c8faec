"""The exit statuses of recipes."""

# Failed: with an error in one line on stderr. Skipped: done, but for something that a line with "! " names, such as a
# damaged file; below torchrun and `accelerate launch`, which know no such status, it becomes 1. 2 is Python's own.
DONE, FAILED, SKIPPED, STOPPED = 0, 1, 3, 130
HELP = f"exit status: {DONE} done; {FAILED} error; {SKIPPED} done, but for what lines with ! name; {STOPPED} stopped"
