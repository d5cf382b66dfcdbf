"""A throwaway Postgres: the defaults, fsync on, on a free port of the loopback."""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from failure import Failure

DATABASE = "bench"
MIGRATED = "migrated"
# Half a gibibyte of log that means nothing. The checkpoint behind it keeps its segments for use again, as
# they are in a database that has been running for a while; a new one stops for each segment to make it.
FILL_LOG = "SELECT count(pg_logical_emit_message(false, 'fill', repeat('x', 8000))) FROM generate_series(1, 65536)"


def bindir():
    """Where the server's programs are."""
    initdb = shutil.which("initdb") or sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))[-1]
    return Path(initdb).resolve().parent


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Postgres:
    """The cluster, with one database that all contenders use in turn."""

    def __init__(self, folder):
        self.folder = folder / "postgres"
        self.folder.mkdir()
        self.port = free_port()
        self.url = f"postgres://dlr@127.0.0.1:{self.port}/{DATABASE}"
        self.process = None
        # Postgres refuses to run as root, so root lends it another user.
        self.as_owner = {}
        if os.getuid() == 0:
            users = {user.pw_name: user for user in pwd.getpwall()}
            owner = users.get("postgres") or users["nobody"]
            self.as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        options = ["--username=dlr", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._program("initdb", f"--pgdata={self.folder}/data", *options)

    def start(self):
        if self.process and self.process.poll() is None:
            return
        settings = ["listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self.folder}"]
        command = [bindir() / "postgres", "-D", self.folder / "data"]
        for setting in settings:
            command += ["-c", setting]
        with open(self.folder.parent / "postgres.log", "ab") as log:
            # A session of its own: Ctrl-C is for us, who then stop it.
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd="/", start_new_session=True, **self.as_owner
            )
        deadline = time.monotonic() + 60
        ready = [bindir() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure("Postgres does not start", log=self.folder.parent / "postgres.log")
            time.sleep(0.05)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # what its documentation calls a fast shutdown
            self.process.wait(120)

    def sql(self, statement, database=DATABASE, **variables):
        """Runs SQL, or a file of it, and returns what it prints."""
        command = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        command += ["-U", "dlr", "-d", database]
        for name, value in variables.items():
            command += ["-v", f"{name}={value}"]
        # By standard input even where it is one statement: variables are not replaced in `-c`.
        if isinstance(statement, Path):
            statement = statement.read_text()
        return self._program("psql", *command, input=statement).strip()

    def migrate(self, service):
        """Lets our service make the schema, once; every empty database is a copy of that."""
        self.sql(f"CREATE DATABASE {MIGRATED}", "postgres")
        service.run("migrate", DATABASE_URL=self.url.replace(DATABASE, MIGRATED))

    def empty_database(self):
        """A migrated database without rows, and nothing left to write of what was before."""
        self.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)", "postgres")
        self.sql(f"CREATE DATABASE {DATABASE} TEMPLATE {MIGRATED}", "postgres")
        self.sql(FILL_LOG)
        self.sql("CHECKPOINT")

    def count(self):
        """How many messages and receipts there are."""
        return tuple(int(self.sql(f"SELECT count(*) FROM {table}")) for table in ("messages", "receipts"))

    def _program(self, name, *arguments, **options):
        ran = subprocess.run(
            [bindir() / name, *arguments], text=True, capture_output=True, cwd="/", **self.as_owner, **options
        )
        if ran.returncode != 0:
            raise Failure(f"{name} failed: {ran.stderr.strip()}")
        return ran.stdout
