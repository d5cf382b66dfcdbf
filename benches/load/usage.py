"""What a process and all its descendants use: CPU seconds and resident memory."""

import threading

import psutil


def tree(pid):
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(pid):
    """Of the living, and of the dead as soon as their parents have buried them."""
    total = 0.0
    for process in tree(pid):
        try:
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
        except psutil.NoSuchProcess:
            pass  # ended meanwhile: its parent's times have it
    return total


def resident_bytes(pid):
    """Pages that processes share count for each of them."""
    total = 0
    for process in tree(pid):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            pass
    return total


class PeakMemory:
    """The most that `pid` and its descendants held within the `with`, looked at twice a second."""

    def __init__(self, pid):
        self.pid, self.peak = pid, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _watch(self):
        while True:
            try:
                self.peak = max(self.peak, resident_bytes(self.pid))
            except psutil.NoSuchProcess:
                return
            if self.over.wait(0.5):
                return
