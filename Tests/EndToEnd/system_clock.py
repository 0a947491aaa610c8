"""A clock of the system for one process.

libfaketime stands between them, because only root may set the real one, and for all.
"""
from pathlib import Path


class SystemClock:
    """What a process takes for the clock of the system."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.set(0)
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        self.environment = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
            # As the kernel does: only the clock that can be set is set.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, seconds):
        """Puts it so much ahead of the real one; in one step, as it is read all the time."""
        following = self.file.with_suffix(".next")
        following.write_text(f"{seconds:+}\n")
        following.rename(self.file)
