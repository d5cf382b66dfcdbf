"""How far the bench is: a bar on a terminal, plain lines elsewhere. Standard output is for the table."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Lines:
    """Says each job when it begins."""

    def __init__(self, total):
        self.total, self.at, self.start = total, 0, time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def begin(self, title):
        self.at += 1
        self.note(f"[{self.at}/{self.total}] {title}")

    def note(self, text):
        print(f"{time.monotonic() - self.start:6.0f} s  {text}", file=sys.stderr, flush=True)


class Bar:
    """One line at the foot of the terminal."""

    def __init__(self, total):
        columns = [BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}")]
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.progress.add_task("", total=total, completed=-1)

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *_):
        self.progress.stop()

    def begin(self, title):
        self.title = title
        self.progress.update(self.task, advance=1, description=title)

    def note(self, text):
        self.progress.update(self.task, description=f"{self.title}: {text}")


def progress(total):
    return Bar(total) if sys.stderr.isatty() else Lines(total)
