"""A server process on a core of its own: its CPU time and its memory, as the kernel counts them."""

import os
import subprocess
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

SERVER_CORE = "0"
LOAD_CORE = "1"


class Process:
    """Started on the server's core; ended with the `with` block that holds it."""

    def __init__(self, command, log, **options):
        self._log = open(log, "w")
        self._child = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *map(str, command)],
            stderr=self._log,
            stdin=subprocess.DEVNULL,
            **options,
        )
        self.stdout = self._child.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Asks it to end and waits, so that what it has written is complete."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._log.close()

    def has_ended(self):
        return self._child.poll() is not None

    def cpu_seconds(self):
        """Of all its threads, in user mode and in the kernel: fields 14 and 15 of proc(5) stat."""
        stat = Path(f"/proc/{self._child.pid}/stat").read_text()
        # The second field is the name in brackets, which may hold blanks.
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def memory_mib(self):
        """What it holds now, and the most it ever held."""
        status = Path(f"/proc/{self._child.pid}/status").read_text()
        kib = dict(line.split(":", 1) for line in status.splitlines())
        return tuple(int(kib[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
