"""What ends the bench: figures of a run in which anything went wrong are worth nothing."""


class Failure(Exception):
    """Said in one line, with the end of a log where there is one."""

    def __init__(self, message, log=None):
        if log and log.exists():
            last = log.read_text(errors="replace").splitlines()[-15:]
            message = "\n  ".join([message, *last])
        super().__init__(message)
