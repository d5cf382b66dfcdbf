"""Drives a server with wrk, and measures what that takes."""

import itertools
import json
import random
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from failure import Failure
from usage import PeakMemory, cpu_seconds

HERE = Path(__file__).parent
WARM_UP = 2

# Every run of wrk has a number of its own, which goes into the sids.
runs = itertools.count(random.randrange(1 << 25))


@dataclass
class Load:
    """What a load of callbacks or questions came to; times in milliseconds, memory in MB."""

    requests: int
    rate: float
    p50: float
    p99: float
    cpu_server: float = 0.0
    cpu_postgres: float = 0.0
    memory: float = 0.0
    # Seconds until what was spooled is in Postgres.
    drained: float = 0.0

    def per_100k(self, cpu):
        return cpu * 100_000 / max(self.requests, 1)


def wrk(url, connections, seconds, script, *arguments):
    """One thread of wrk: it fills more than any server here, and leaves the other core alone."""
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--timeout", "10s", "--script", script, url, "--", *map(str, arguments)]
    ran = subprocess.run(command, cwd=HERE, text=True, capture_output=True)
    last = ran.stdout.strip().splitlines()[-1:]
    if ran.returncode != 0 or not last or not last[0].startswith("{"):
        raise Failure(f"wrk failed: {ran.stderr.strip() or ran.stdout.strip()}")
    said = json.loads(last[0])
    if said["not_200"] or said["broken"]:
        raise Failure(f"{said['not_200']} answers were no 200, {said['broken']} requests broke off: {url}")
    rate = said["requests"] / said["duration"] * 1e6
    return Load(said["requests"], rate, said["p50"] / 1e3, said["p99"] / 1e3)


def callbacks(server, connections, seconds):
    return wrk(server.url, connections, seconds, "callbacks.lua", server.contender.path, next(runs))


def questions(server, connections, seconds, paths):
    """Asks what stands in a file, a path a line."""
    return wrk(server.url, connections, seconds, "questions.lua", paths)


def measured(server, drive, postgres=None):
    """Runs `drive`, and adds what the server and Postgres used meanwhile."""
    pids = [server.pid] + ([postgres.process.pid] if postgres else [])
    before = [cpu_seconds(pid) for pid in pids]
    with PeakMemory(server.pid) as memory:
        load = drive()
    used = [cpu_seconds(pid) - start for pid, start in zip(pids, before)]
    load.cpu_server, load.cpu_postgres = used[0], sum(used[1:])
    load.memory = memory.peak / 1e6
    return load


def recorded(server, connections, seconds, postgres=None, count=None):
    """Callbacks after a warm-up, and whether each 200 of theirs is a row, and nothing else is.

    `count` returns the numbers of messages and receipts. Requests that are under way when wrk ends
    may become rows without having been answered: one per connection.
    """
    callbacks(server, connections, WARM_UP)
    if count is None:
        return measured(server, lambda: callbacks(server, connections, seconds), postgres)
    before = settled(count)
    load = measured(server, lambda: callbacks(server, connections, seconds), postgres)
    for table, first, last in zip(("messages", "receipts"), before, settled(count)):
        if not load.requests <= last - first <= load.requests + connections:
            raise Failure(
                f"{server.contender.title} answered {load.requests} times 200 on {connections} connections, "
                f"and there are {last - first} more {table}"
            )
    return load


def settled(count):
    """What is counted once it no longer changes."""
    now = count()
    while True:
        time.sleep(0.2)
        before, now = now, count()
        if before == now:
            return now
