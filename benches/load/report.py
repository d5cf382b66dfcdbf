"""What was found, as Markdown for docs/performance.md."""

from statistics import mean

TITLES = {
    "ours": "**dlr-receiver**",
    "axum": "plain axum + sqlx",
    "fastapi": "FastAPI + asyncpg",
    "express": "Express + pg",
}
COLUMNS = ["connections", "callbacks/s", "p50", "p99", "CPU s per 100k: server + Postgres", "RSS"]


def markdown(found, machine, chosen):
    """All of it; what was left out by `--only` is left out here."""
    parts = [machine + "."]
    parts += [part(found, chosen) for part in (loads, others, ceilings, idle, asking, purging, stored)]
    return "\n\n".join(part for part in parts if part)


def table(head, rows):
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in [head, rule, *rows])


def figures(connections, load):
    cpu = f"{load.per_100k(load.cpu_server):.1f} + {load.per_100k(load.cpu_postgres):.1f}"
    times = [milliseconds(load.p50), milliseconds(load.p99)]
    return [connections, f"{load.rate:,.0f}", *times, cpu, f"{load.memory:.0f} MB"]


def milliseconds(time):
    return f"{time:.2f} ms" if time < 10 else f"{time:.0f} ms"


def loads(found, _):
    """Each server at each number of connections, with the ratio to ours."""
    rows = []
    for (kind, *rest), load in found.items():
        if kind != "load":
            continue
        name, connections = rest
        ours = found.get(("load", "ours", connections))
        ratio = f"{ours.rate / load.rate:.2f}" if ours and name != "ours" else ""
        rows.append([TITLES[name], *figures(connections, load), ratio])
    note = "CPU and RSS (the peak) are of all processes of a server together."
    return rows and table(["server", *COLUMNS, "ours / theirs"], rows) + "\n\n" + note


def others(found, chosen):
    """Our service elsewhere than on an empty Postgres."""
    rows = []
    if sqlite := found.get(("sqlite",)):
        rows.append(["on SQLite", *figures(64, sqlite)])
    if ("spool",) in found:
        spool = found["spool",]
        rows.append(
            [f"while Postgres is away (in it {spool.drained:.0f} s after its return)", *figures(64, spool)]
            if spool else ["while Postgres is away: not supported by this binary"] + [""] * len(COLUMNS)
        )
    if of := found.get(("stored",)):
        rows.append(["on an empty Postgres", *figures(64, of.empty)])
        rows.append([f"on {chosen.rows:,} stored messages", *figures(64, of.large)])
    return rows and table(["dlr-receiver", *COLUMNS], rows)


def ceilings(found, chosen):
    http, postgres = found.get(("http",)), found.get(("pgbench",))
    if not http:
        return None
    both = 1 / (1 / http.rate + 1 / postgres)
    lines = [
        f"- HTTP without a store: {http.rate:,.0f} callbacks/s",
        f"- Postgres alone (pgbench, 256 rows a statement): {postgres:,.0f} callbacks/s",
    ]
    ours = found.get(("load", "ours", max(chosen.connections)))
    share = f"; dlr-receiver at {max(chosen.connections)} connections: {ours.rate / both:.0%} of it" if ours else ""
    return "\n".join([*lines, f"- both, one after the other: {both:,.0f} callbacks/s{share}"])


def idle(found, _):
    lines = [
        f"- {TITLES[name[0]]} with {count:,} idle connections: {full:.0f} MB, {before:.0f} MB without"
        for (kind, *name), measured in found.items() if kind == "idle" for before, full, count in [measured]
    ]
    return "\n".join(lines)


def asking(found, _):
    """Questions that list, on a million messages."""
    of = found.get(("asking",))
    if not of:
        return None
    rows = [
        [name, f"{load.rate:,.0f}" if load.rate else "", milliseconds(load.p50), milliseconds(load.p99)]
        for name, load in of.items() if name not in ("export", "paging")
    ]
    (alone, beside), (seconds, megabytes) = of["paging"], of["export"]
    return "\n\n".join([
        table(["on 1,000,000 stored messages, 4 clients", "answers/s", "p50", "p99"], rows),
        f"- callbacks while one client pages through everything: {beside.rate / alone.rate:.0%} of those without\n"
        f"- an export of all of them: {seconds:.0f} s, {megabytes:.0f} MB at most",
    ])


def purging(found, _):
    of = found.get(("purging",))
    if not of:
        return None
    share = mean(of.beside) / mean(of.alone)
    deleted = f"{of.deleted:,} rows of 1,000,000 messages and their receipts went meanwhile"
    return f"- callbacks while what is too old is deleted: {share:.0%} of those without; {deleted}"


def stored(found, chosen):
    of = found.get(("stored",))
    if not of:
        return None
    small, large = of.questions_small, of.questions_large
    rows = [
        [count, f"{load.rate:,.0f}", milliseconds(load.p50), milliseconds(load.p99)]
        for count, load in [("1,000", small), (f"{chosen.rows:,}", large)]
    ]
    return "\n\n".join([
        f"- callbacks on {chosen.rows:,} stored messages: {of.large.rate / of.empty.rate:.0%} of an empty database's",
        table(["`GET /messages/{sid}`, stored messages", "answers/s", "p50", "p99"], rows),
    ])
