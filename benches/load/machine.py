"""The machine that the figures are of."""

import os
import platform
import re
import statistics
import subprocess
import time

import psutil

from postgres import bindir


def describe(folder):
    """One sentence: CPU, memory, kernel, how long the disk takes to keep a page, and the versions."""
    with open("/proc/cpuinfo") as cpuinfo:
        cpu = re.search(r"^model name\s*: (.*)$", cpuinfo.read(), re.MULTILINE)
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, "
        f"Linux {version_in(platform.release())}; fdatasync of a page: {sync_ms(folder):.2f} ms; "
        f"Postgres {version(bindir() / 'postgres')}, wrk {version('wrk', '-v')}, "
        f"Node {version('node')}, Python {platform.python_version()}"
    )


def sync_ms(folder):
    """The median time of writing 8 KiB and having them on disk, which is what a commit waits for."""
    times = []
    with open(folder / "sync", "wb", buffering=0) as file:
        file.write(bytes(1 << 20))
        os.fsync(file.fileno())
        for _ in range(300):
            file.seek(0)
            start = time.perf_counter()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def version(program, option="--version"):
    ran = subprocess.run([program, option], text=True, capture_output=True)
    return version_in(ran.stdout + ran.stderr)


def version_in(text):
    found = re.search(r"\d+(\.\d+)+", text)
    return found[0] if found else "?"
