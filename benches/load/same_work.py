"""Whether all contenders do the same work: one callback has to become the same rows, column by column."""

import json
import urllib.request
from pathlib import Path

from failure import Failure

COMPARE = Path(__file__).parent / "peers/compare.sql"
CALLBACK = (
    b"SmsSid=6c1f0c9e5a3b4d7f8e2a1b0c9d8e7f60&To=09812345670&Status=sent&DetailedStatusCode=20005"
    b"&DetailedStatus=DELIVERED_TO_HANDSET&SmsUnits=1&DateSent=2026-11-21+18%3A29%3A33&CustomField=order-7"
)

# The rows that our service makes of it, or whoever comes first; and who has been looked at.
rows, seen = {}, set()


def check(server, postgres):
    """Sends the callback to a server whose database is empty, and compares. Once per contender."""
    name = server.contender.name
    if name in seen:
        return
    urllib.request.urlopen(server.url + server.contender.path, CALLBACK, timeout=10).read()
    stored = postgres.sql(COMPARE)
    if not stored:
        raise Failure(f"{server.contender.title} answered 200, and there is no row")
    made = json.loads(stored)
    for table, row in made.items():
        expected = rows.setdefault(table, row)
        other = {column for column in row.keys() | expected.keys() if row.get(column) != expected.get(column)}
        if other:
            raise Failure(f"{server.contender.title} stores something else in {table}: {', '.join(sorted(other))}")
    seen.add(name)
