"""Measures our service and its peers, one after the other, and prints a table for docs/performance.md.

Started by `run`. Each measurement has a fresh and empty database, a checkpoint behind it, and a warm-up;
peers take turns with us at each number of connections, so that a noisy neighbour hits all.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from chart import draw
from failure import Failure
from idle import raise_file_limit
from machine import describe
from measures import Measures
from progress import progress
from report import markdown

PARTS = ["ceilings", "single", "sqlite", "spool", "idle", "asking", "purging", "stored"]
CHART = Path("docs/load.svg")
SERVERS = ["ours", "axum", "fastapi", "express"]


def arguments():
    def names(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in SERVERS + PARTS:
                raise argparse.ArgumentTypeError(f"`{name}` is none of {', '.join(SERVERS + PARTS)}")
        return chosen

    def numbers(text):
        return [int(number) for number in text.split(",")]

    parser = argparse.ArgumentParser(prog="benches/load/run", description="Measures our service against its peers.")
    parser.add_argument("--seconds", type=int, default=10, help="how long each measurement takes (10)")
    parser.add_argument("--connections", type=numbers, default=[16, 64, 256], help="of wrk, with commas (16,64,256)")
    parser.add_argument("--rows", type=int, default=5_000_000, help="stored messages of the last part; 0 leaves it out")
    parser.add_argument(
        "--only", type=names, default=SERVERS + PARTS, metavar="NAMES",
        help=f"servers ({', '.join(SERVERS)}) and parts ({', '.join(PARTS)}), with commas",
    )
    parser.add_argument("--quick", action="store_true", help="2 seconds, 64 connections, 200000 stored messages")
    parser.add_argument("--chart", type=Path, help="where the chart goes (docs/load.svg, after a whole run)")
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.seconds, chosen.connections, chosen.rows = 2, [64], 200_000
    elif chosen.only == SERVERS + PARTS:
        chosen.chart = chosen.chart or CHART
    return chosen


def jobs(measures, chosen):
    """What there is to do: a key, a title, and a function that returns what it found."""
    of = {server.name: server for server in measures.contenders}
    servers = [server for server in measures.contenders if server.name in chosen.only]
    todo = {}
    if "single" in chosen.only:
        for server in (of["ours"], of["axum"]):
            todo["load", server.name, 1] = f"{server.title}, one connection", measures.throughput, server, 1
    for connections in chosen.connections:
        for server in servers:
            title = f"{server.title}, {connections} connections"
            todo["load", server.name, connections] = title, measures.throughput, server, connections
    if "ceilings" in chosen.only:
        todo["http",] = "HTTP without a store", measures.http
        todo["pgbench",] = "Postgres alone", measures.pgbench
    if "sqlite" in chosen.only:
        todo["sqlite",] = "SQLite", measures.sqlite
    if "spool" in chosen.only:
        todo["spool",] = "while Postgres is away", measures.spool
    if "idle" in chosen.only:
        for server in (of["ours"], of["axum"]):
            todo["idle", server.name] = f"{server.title}, idle connections", measures.idle, server
    if "asking" in chosen.only:
        todo["asking",] = "lists on 1,000,000 stored messages", measures.asking
    if "purging" in chosen.only:
        todo["purging",] = "a purge of 1,000,000 stored messages", measures.purging
    if "stored" in chosen.only and chosen.rows:
        todo["stored",] = f"{chosen.rows:,} stored messages", measures.stored
    return todo


def measure(folder, chosen):
    """Does all of it, one after the other."""
    found = {}
    with Measures(folder, chosen) as measures:
        todo = jobs(measures, chosen)
        with progress(len(todo)) as measures.progress:
            for key, (title, run, *arguments) in todo.items():
                measures.progress.begin(title)
                found[key] = run(*arguments)
    return found


def main():
    chosen = arguments()
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, lambda number, _: sys.exit(128 + number))
    raise_file_limit()
    folder = Path(tempfile.mkdtemp(prefix="dlr-load.", dir=os.environ.get("DLR_BENCH_DATA", "/var/tmp")))
    try:
        folder.chmod(0o755)  # Postgres's own user has to get to its part of it
        machine = describe(folder)
        found = measure(folder, chosen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(markdown(found, machine, chosen))
    if chosen.chart and any(key[0] == "load" for key in found):
        draw(found, chosen.chart)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"benches/load/run: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
