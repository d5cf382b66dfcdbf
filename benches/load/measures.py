"""The measurements themselves. Each begins with a database of its own, and returns what it found."""

import re
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import same_work
from asking import Asking
from failure import Failure
from idle import how_many, while_idle
from postgres import FILL_LOG, Postgres, bindir
from servers import contenders, without_store
from usage import resident_bytes
from wrk import WARM_UP, Load, callbacks, measured, questions, recorded, settled

HERE = Path(__file__).parent
# Without and with a purge: a machine that grows slower, or faster, does so for both.
ROUNDS = [False, True, True, False, False, True]
# Where one number of connections has to do.
CONNECTIONS = 64
# A small database, the messages that one statement stores in a large one, and the bytes that one
# takes on disk, with its receipt, both indexes, and the log of writing it.
SMALL = 1000
ASKED = 1_000_000
CHUNK = 250_000
ROOM_PER_MESSAGE = 1500


@dataclass
class Stored:
    """What stored messages change."""

    empty: Load
    large: Load
    questions_small: Load
    questions_large: Load


@dataclass
class Purging:
    """What a purge takes from callbacks per second, and the rows that it deleted meanwhile, give or take the
    moments between counting and the load."""

    alone: list
    beside: list
    deleted: int


class Measures:
    def __init__(self, folder, chosen):
        self.folder, self.chosen = folder, chosen
        self.contenders = contenders(chosen.work, chosen.binary)
        self.ours = self.contenders[0]
        self.progress = None

    def __enter__(self):
        self.postgres = Postgres(self.folder)
        try:
            self.postgres.start()
            self.postgres.migrate(self.ours)
        except BaseException:
            self.postgres.stop()
            raise
        return self

    def __exit__(self, *_):
        self.postgres.stop()

    def throughput(self, contender, connections):
        """Callbacks into an empty database."""
        self.postgres.empty_database()
        with contender.start(self.folder, self.postgres.url) as server:
            same_work.check(server, self.postgres)
            return self._recorded(server, connections)

    def http(self):
        """The ceiling of HTTP."""
        with without_store(self.chosen.work).start(self.folder, "") as server:
            return recorded(server, max(self.chosen.connections), self.chosen.seconds)

    def pgbench(self):
        """The ceiling of Postgres, in callbacks per second: 256 in one statement, one or two clients."""
        return max(256 * self._transactions(clients) for clients in (1, 2))

    def _transactions(self, clients):
        self.postgres.empty_database()
        command = [bindir() / "pgbench", "--no-vacuum", "--protocol=prepared", "--file", HERE / "pgbench.sql"]
        command += [f"--client={clients}", f"--jobs={clients}", f"--time={self.chosen.seconds}", self.postgres.url]
        ran = subprocess.run(command, text=True, capture_output=True)
        said = re.search(r"^tps = ([\d.]+)", ran.stdout, re.MULTILINE)
        if ran.returncode != 0 or not said:
            raise Failure(f"pgbench failed: {ran.stderr.strip()}")
        return float(said[1])

    def sqlite(self):
        """Callbacks into an SQLite file."""
        file = self.folder / "sqlite/dlr.db"
        shutil.rmtree(file.parent, ignore_errors=True)

        def count():
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                count = "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM receipts)"
                return database.execute(count).fetchone()

        with self.ours.start(self.folder, f"sqlite://{file}") as server:
            return recorded(server, CONNECTIONS, self.chosen.seconds, count=count)

    def spool(self):
        """Callbacks while Postgres is away, or None where the binary cannot do without it."""
        self.postgres.empty_database()
        self.postgres.stop()
        try:
            with self.ours.start(self.folder, self.postgres.url) as server:
                warm_up = callbacks(server, CONNECTIONS, WARM_UP)
                load = measured(server, lambda: callbacks(server, CONNECTIONS, self.chosen.seconds))
                load.drained = self._drained(warm_up.requests + load.requests)
                return load
        except Failure:
            if self.ours.knows_spool:
                raise
            return None
        finally:
            self.postgres.start()

    def _drained(self, answered):
        """Starts Postgres, and returns the seconds until all that was answered is in it."""
        self.postgres.start()
        start = time.monotonic()
        while min(self.postgres.count()) < answered:
            if time.monotonic() - start > 300:
                raise Failure(f"of {answered} spooled callbacks {self.postgres.count()} are in Postgres after 300 s")
            time.sleep(0.2)
        seconds = time.monotonic() - start
        # Two loads, at the end of each of which one request per connection may be under way.
        if max(settled(self.postgres.count)) > answered + 2 * CONNECTIONS:
            raise Failure(f"{answered} callbacks were spooled, and became {self.postgres.count()} rows")
        return seconds

    def idle(self, contender):
        """Megabytes before and with idle connections, and how many there were."""
        self.postgres.empty_database()
        with contender.start(self.folder, self.postgres.url) as server:
            before = resident_bytes(server.pid)
            return before / 1e6, while_idle(server, lambda: resident_bytes(server.pid)) / 1e6, how_many()

    def stored(self):
        """Callbacks and questions on a large database, and the same on an empty and on a small one."""
        empty = self.throughput(self.ours, CONNECTIONS)
        self._seed(SMALL)
        with self.ours.start(self.folder, self.postgres.url) as server:
            questions_small = self._questions(server, SMALL)
        self._seed(self.chosen.rows)
        with self.ours.start(self.folder, self.postgres.url) as server:
            questions_large = self._questions(server, self.chosen.rows)
            return Stored(empty, self._recorded(server, CONNECTIONS), questions_small, questions_large)

    def _questions(self, server, rows):
        paths = self.folder / "paths"
        # Random ones of those that are stored, as seed.sql makes them.
        path = f"'/messages/' || md5((1 + floor(random() * {rows}))::bigint::text)"
        paths.write_text(self.postgres.sql(f"SELECT {path} FROM generate_series(1, 100000)") + "\n")
        questions(server, 4, WARM_UP, paths)
        return measured(server, lambda: questions(server, 4, self.chosen.seconds, paths), self.postgres)

    def asking(self):
        """Lists, lookups and statistics on a million messages."""
        self._seed(ASKED)
        # What Postgres had in memory is gone; the system may still have it.
        self.postgres.stop()
        self.postgres.start()
        with self.ours.start(self.folder, self.postgres.url) as server:
            asking = Asking(server, self.postgres, self.folder, self.chosen.seconds)
            found = asking.lists() | asking.others() | {"export": asking.export()}
            return found | {"paging": asking.while_paging(self._recorded, CONNECTIONS)}

    def purging(self):
        """Callbacks while everything that is stored is too old, and while nothing is."""
        self._seed(ASKED)
        found, answered = Purging([], [], 0), 0
        for purges in ROUNDS:
            days = "1" if purges else "0"
            with self.ours.start(self.folder, self.postgres.url, DLR__RETENTION__MESSAGES_DAYS=days) as server:
                answered += callbacks(server, CONNECTIONS, WARM_UP).requests
                before = self._seeded()
                load = callbacks(server, CONNECTIONS, self.chosen.seconds)
                deleted = before - self._seeded()
            if (deleted > 0) != purges:
                raise Failure(f"{deleted} rows were deleted {'beside' if purges else 'without'} a purge")
            (found.beside if purges else found.alone).append(load.rate)
            answered, found.deleted = answered + load.requests, found.deleted + deleted
        if not self._seeded():
            raise Failure("the purge was over before the callbacks were")
        received = sum(self.postgres.count()) - self._seeded()
        if received < 2 * answered:
            raise Failure(f"{answered} callbacks were answered beside purges, and left {received} rows")
        return found

    def _seeded(self):
        """How many rows there are of what was stored before."""
        old = {"messages": "id", "receipts": "message_id"}
        counts = (f"(SELECT count(*) FROM {table} WHERE {column} <= {ASKED})" for table, column in old.items())
        return int(self.postgres.sql(f"SELECT {' + '.join(counts)}"))

    def _seed(self, rows):
        self.postgres.empty_database()
        if shutil.disk_usage(self.folder).free < rows * ROOM_PER_MESSAGE:
            room = f"{rows * ROOM_PER_MESSAGE / 1e9:.0f} GB"
            raise Failure(f"{rows:,} messages want {room} of disk; choose fewer with --rows")
        for first in range(1, rows + 1, CHUNK):
            last = min(first + CHUNK - 1, rows)
            self.postgres.sql(HERE / "seed.sql", **{"from": first, "to": last})
            self.progress.note(f"{last:,} of {rows:,} messages stored")
        # What autovacuum would do sooner or later, it does not do while we measure.
        self.postgres.sql("VACUUM ANALYZE")
        self.postgres.sql(FILL_LOG)
        self.postgres.sql("CHECKPOINT")

    def _recorded(self, server, connections):
        return recorded(server, connections, self.chosen.seconds, self.postgres, self.postgres.count)
