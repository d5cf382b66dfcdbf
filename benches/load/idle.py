"""Connections that have done one request each and are then held open, as a proxy's pool holds them."""

import asyncio
import resource
import uuid

from failure import Failure

WANTED = 10_000


def raise_file_limit():
    """As many open files as we may have, for us and for the servers that inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, 65536), max(hard, 65536)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def how_many():
    """Ten thousand, or what the limit of open files leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(WANTED, soft - 200)


async def open_one(port, path, several):
    async with several:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = f"SmsSid={uuid.uuid4().hex}&To=09812345670&Status=sent&DetailedStatusCode=20005"
        body += "&DetailedStatus=DELIVERED_TO_HANDSET&SmsUnits=1&DateSent=2026-11-21+18%3A29%3A33&CustomField=order-7"
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"}")
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise Failure(f"an idle connection's request was answered {answer[:40]}")
        return reader, writer


def while_idle(server, look):
    """What `look` returns while the connections are open, all of which have to last."""

    async def hold():
        several = asyncio.Semaphore(64)
        opened = await asyncio.gather(
            *(open_one(server.port, server.contender.path, several) for _ in range(how_many()))
        )
        await asyncio.sleep(1)
        seen = look()
        await asyncio.sleep(0.1)
        closed = sum(reader.at_eof() for reader, _ in opened)
        if closed:
            raise Failure(f"{server.contender.title} closed {closed} of {len(opened)} idle connections")
        for _, writer in opened:
            writer.close()
        return seen

    return asyncio.run(hold())
