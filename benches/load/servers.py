"""What is measured: our service and its peers, how each is started and stopped, and what it costs."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from failure import Failure
from postgres import free_port

PEERS = Path(__file__).parent / "peers"


@dataclass
class Contender:
    """A server that can be started: `{port}` in its command and environment becomes a free one."""

    name: str
    title: str
    command: list
    path: str = "/callbacks"
    environment: dict = field(default_factory=dict)

    def start(self, folder, database_url, **environment):
        return Server(self, folder, self.environment | environment | {"DATABASE_URL": database_url})


class Ours(Contender):
    """Our service as it is shipped, but for the log line per request: no peer writes one either."""

    def __init__(self, binary):
        environment = {"DLR__HTTP__BIND": "127.0.0.1:{port}", "DLR__LOG__FILTER": "warn"}
        super().__init__("ours", "dlr-receiver", [binary], "/callbacks/exotel/default", environment)
        self.knows_spool = "[spool]" in self.run("check-config")

    def start(self, folder, database_url, **environment):
        if self.knows_spool:
            spool = folder / "spool"
            shutil.rmtree(spool, ignore_errors=True)
            spool.mkdir()
            environment["DLR__SPOOL__PATH"] = str(spool / "spool.db")
        return super().start(folder, database_url, **environment)

    def run(self, command, **environment):
        ran = subprocess.run(
            [*self.command, command], env=clean_environment() | environment, text=True, capture_output=True
        )
        if ran.returncode != 0:
            raise Failure(f"dlr-receiver {command} failed: {ran.stderr.strip()}")
        return ran.stdout


def contenders(work, binary):
    """All of them, ours first. `work` is where `run` has put what it built and installed."""
    venv = Path(sys.executable).parent
    axum = str(work / "axum/release/plain-axum")
    # uvicorn's own workers, on the loop and the parser that its documentation recommends.
    uvicorn = [str(venv / "uvicorn"), "--app-dir", str(PEERS / "fastapi"), "app:app", "--port", "{port}"]
    uvicorn += ["--workers", "2", "--loop", "uvloop", "--http", "httptools"]
    uvicorn += ["--no-access-log", "--log-level", "warning"]
    modules = {"NODE_PATH": str(work / "express/node_modules"), "NODE_ENV": "production"}
    return [
        Ours(binary),
        Contender("axum", "plain axum + sqlx", [axum, "{port}"]),
        Contender("fastapi", "FastAPI + asyncpg", uvicorn),
        Contender("express", "Express + pg", ["node", str(PEERS / "express/server.js"), "{port}"], environment=modules),
    ]


def without_store(work):
    """The ceiling of HTTP: the plain axum handler, which parses and answers, and keeps nothing."""
    return Contender("http", "HTTP without a store", [str(work / "axum/release/plain-axum"), "{port}", "--no-store"])


def clean_environment():
    """Nothing of the caller's, who may have configured a dlr-receiver of his own."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "POOL", "PYTHONPYCACHEPREFIX") if name in os.environ}


class Server:
    """A running contender. To be used with `with`, which stops it."""

    def __init__(self, contender, folder, environment):
        self.contender = contender
        self.port = free_port()
        self.log = folder / f"{contender.name}.log"
        command = [word.replace("{port}", str(self.port)) for word in contender.command]
        environment = {name: value.replace("{port}", str(self.port)) for name, value in environment.items()}
        with open(self.log, "wb") as log:
            # A session of its own: Ctrl-C is for us, who then stop it with all its children.
            self.process = subprocess.Popen(
                command, env=clean_environment() | environment, cwd=folder,
                stdout=log, stderr=log, start_new_session=True,
            )

    def __enter__(self):
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _wait_until_ready(self):
        deadline = time.monotonic() + 30
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{self.contender.title} does not start", self.log)
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
