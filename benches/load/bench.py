"""Measures our service and its peers, one after the other, and prints a table for the README.

Started by `run`. Each measurement has a fresh and empty database, a checkpoint behind it, and a warm-up;
peers take turns with us at each number of connections, so that a noisy neighbour hits all.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import report
from failure import Failure
from measures import Measures
from progress import progress

PARTS = ["ceilings", "single", "sqlite", "spool", "idle", "stored"]
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
    parser.add_argument("--chart", type=Path, default=Path("docs/load.svg"), help="where the chart goes (docs/load.svg)")
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.seconds, chosen.connections, chosen.rows = 2, [64], 200_000
    return chosen


def jobs(measures, chosen):
    """What there is to do: a title, and what does it and returns what was found."""
    servers = [server for server in measures.contenders if server.name in chosen.only]
    todo = []

    def job(key, title, measure, *arguments):
        todo.append((key, title, lambda: measure(*arguments)))

    for connections in chosen.connections:
        for server in servers:
            job(("load", connections, server.name), f"{server.title}, {connections} connections",
                measures.throughput, server, connections)
    return todo


def main():
    chosen = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="dlr-load.", dir=report.data_folder()))
    found = {}
    try:
        # Postgres's own user has to get to its part of it.
        folder.chmod(0o755)
        with Measures(folder, chosen) as measures:
            todo = jobs(measures, chosen)
            with progress(len(todo)) as measures.progress:
                for key, title, run in todo:
                    measures.progress.begin(title)
                    found[key] = run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report.markdown(found, chosen))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"benches/load/run: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
