"""The measurements themselves. Each begins with a database of its own, and returns what it found."""

from postgres import Postgres
from servers import contenders
from wrk import recorded


class Measures:
    def __init__(self, folder, chosen):
        self.folder, self.chosen = folder, chosen
        self.contenders = contenders(chosen.work, chosen.binary)
        self.ours = self.contenders[0]
        self.progress = None

    def __enter__(self):
        self.postgres = Postgres(self.folder)
        try:
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
            return recorded(server, connections, self.chosen.seconds, self.postgres, self.postgres.count)
