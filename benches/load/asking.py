"""Questions that list, count or look up, on a database of many messages."""

import http.client
import json
import statistics
import threading
import time
from urllib.parse import urlencode

from failure import Failure
from usage import PeakMemory
from wrk import WARM_UP, Load, questions

CLIENTS = 4
FAR = 1000
# How often what takes longer is asked.
TIMES = 30
# The first of the messages that seed.sql makes, and the last of a million.
FIRST, LAST = "2026-10-31T18:30:00Z", "2026-11-03T02:03:20Z"
# As Postgres spells it.
RFC_3339 = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
# A day of them.
DAY = {"received_from": "2026-11-01T18:30:00Z", "received_to": "2026-11-02T18:30:00Z"}


class Asking:
    def __init__(self, server, postgres, folder, seconds):
        self.server, self.postgres, self.folder, self.seconds = server, postgres, folder, seconds

    def lists(self):
        """A page by each of what is asked most, right after the start and then warm; and a far page."""
        far = self._far_cursor()
        kinds = {
            "by recipient": self._random("'/messages?to=098' || lpad((n * 7919 % 10000000)::text, 7, '1')"),
            "by label": self._random("'/messages?label=campaign_id:c' || n / 20000"),
            "by outcome and time": self._random(
                f"'/messages?outcome=failed&received_from=' || to_char(t, '{RFC_3339}')"
                f" || '&received_to=' || to_char(t + interval '1 hour', '{RFC_3339}')"
            ),
            "the first page": "/messages",
            f"page {FAR:,}": f"/messages?cursor={far}",
        }
        found = {}
        for name, paths in kinds.items():
            file = self.folder / "paths"
            file.write_text(paths + "\n")
            found[f"{name}, cold"] = questions(self.server, CLIENTS, WARM_UP, file)
            found[f"{name}, warm"] = questions(self.server, CLIENTS, self.seconds, file)
        return found

    def others(self):
        """What one client asks now and then."""
        sids = self.postgres.sql("SELECT sid FROM messages ORDER BY random() LIMIT 1000").split()
        by_hour = "/stats?" + urlencode(DAY | {"group_by": "hour,outcome"})
        return {
            "lookup of 1,000 sids, one client": self._timed("POST", "/messages/lookup", json.dumps({"sids": sids})),
            "a day's statistics by hour and outcome, one client": self._timed("GET", by_hour),
        }

    def export(self):
        """The seconds that an export of everything takes, and the most megabytes that the service holds."""
        connection, start = self._connection(), time.perf_counter()
        with PeakMemory(self.server.pid) as memory:
            connection.request("GET", "/messages/export")
            answer = connection.getresponse()
            lines = 0
            while part := answer.read1(1 << 20):
                lines += part.count(b"\n")
        stored = int(self.postgres.sql("SELECT count(*) FROM messages"))
        if (answer.status, lines) != (200, stored):
            raise Failure(f"of {stored} messages {lines} were exported ({answer.status})")
        return time.perf_counter() - start, memory.peak / 1e6

    def while_paging(self, recorded, connections):
        """Callbacks without and with one client that pages through everything, over and over."""
        alone = recorded(self.server, connections)
        stop, pages = threading.Event(), []
        paging = threading.Thread(target=self._page_until, args=(stop, pages))
        paging.start()
        try:
            beside = recorded(self.server, connections)
        finally:
            stop.set()
            paging.join()
        if len(pages) < 10:
            raise Failure(f"only {len(pages)} pages were read beside the callbacks")
        return alone, beside

    def _random(self, path):
        """Many paths, made of a stored message's number `n` and a time `t`, a line each."""
        times = f"timestamp '{FIRST}' + random() * (timestamp '{LAST}' - timestamp '{FIRST}') AS t"
        numbers = "(1 + floor(random() * 999999))::bigint AS n"
        return self.postgres.sql(f"SELECT {path} FROM (SELECT {numbers}, {times} FROM generate_series(1, 20000)) AS random_ones")

    def _far_cursor(self):
        """The cursor of a far page."""
        connection, cursor = self._connection(), None
        for _ in range(FAR - 1):
            cursor = self._ask(connection, "GET", "/messages" + (f"?cursor={cursor}" if cursor else ""))["next_cursor"]
        return cursor

    def _timed(self, method, path, body=None):
        connection, times = self._connection(), []
        for _ in range(TIMES):
            start = time.perf_counter()
            self._ask(connection, method, path, body)
            times.append((time.perf_counter() - start) * 1e3)
        return Load(TIMES, 0, statistics.median(times), max(times))

    def _page_until(self, stop, pages):
        connection, cursor = self._connection(), None
        while not stop.is_set():
            path = b"/messages?limit=500" + (b"&cursor=" + cursor if cursor else b"")
            # Only its end is looked at: reading JSON takes this program longer than writing it takes the server.
            end = self._answer(connection, "GET", path.decode()).rpartition(b'"next_cursor":')[2]
            cursor = end.strip(b'"}') if end.startswith(b'"') else None
            pages.append(path)

    def _connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)

    def _ask(self, connection, method, path, body=None):
        return json.loads(self._answer(connection, method, path, body))

    @staticmethod
    def _answer(connection, method, path, body=None):
        connection.request(method, path, body)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Failure(f"{path} is answered with {answer.status}: {text[:200]!r}")
        return text
