"""What was found, as Markdown."""

import os


def data_folder():
    """On a disk: /var/tmp outlives a reboot by convention, /tmp need not."""
    return os.environ.get("DLR_BENCH_DATA", "/var/tmp")


def table(head, rows):
    lines = [head, ["---" if number == 0 else "---:" for number, _ in enumerate(head)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


TITLES = {"ours": "**dlr-receiver**", "axum": "plain axum + sqlx", "fastapi": "FastAPI + asyncpg", "express": "Express + pg"}


def throughput(found):
    """Callbacks by server and connections."""
    rows = []
    for (kind, *rest), load in found.items():
        if kind != "load":
            continue
        connections, name = rest
        ours = found.get(("load", connections, "ours"))
        ratio = f"{ours.rate / load.rate:.2f}" if ours and name != "ours" else ""
        rows.append([
            TITLES[name], connections, f"{load.rate:,.0f}", f"{load.p50:.1f} ms", f"{load.p99:.1f} ms",
            f"{load.per_100k(load.cpu_server):.1f} + {load.per_100k(load.cpu_postgres):.1f}",
            f"{load.memory:.0f} MB", ratio,
        ])
    head = ["server", "connections", "callbacks/s", "p50", "p99", "CPU s per 100k: server + Postgres", "RSS", "ours / theirs"]
    return table(head, rows)


def markdown(found, chosen):
    return throughput(found)
