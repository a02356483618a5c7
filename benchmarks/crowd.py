"""Many clients at once in one light process: each sends, waits for its answer, and sends again."""

import asyncio
import socket
from collections import Counter
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import perf_counter, process_time

PATIENCE = 60


@dataclass
class Turn:
    """What came of it: the seconds that each answer took, what went wrong, and what it cost the client."""

    taken: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    own_cpu: float = 0.0

    @property
    def rate(self):
        """Answers a second."""
        return len(self.taken) / self.seconds

    def percentiles(self):
        """The p50, p95 and p99 in seconds."""
        cuts = quantiles(self.taken, n=100)
        return median(self.taken), cuts[94], cuts[98]


def request(method, path, port, headers, body=b""):
    """The bytes of a request, after which the connection is not used again."""
    lines = {"Host": f"127.0.0.1:{port}", "Content-Length": str(len(body)), "Connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def crowded(port, ask, wanted, *, clients, seconds):
    """All clients at once for some seconds; then each one waits for its last answer.

    `ask()` gives the bytes to send, and what is called with the head and the body of an answer with the
    status `wanted`. Another status is an error, as is no answer.
    """

    def going_on():
        while perf_counter() < ends:
            yield ask()

    ends = perf_counter() + seconds
    return asked_once_each(port, going_on(), wanted, clients=clients)


def asked_once_each(port, asks, wanted, *, clients):
    """The same until nothing is left to ask: each client takes the next one."""
    return asyncio.run(_asked(port, asks, wanted, clients))


async def _asked(port, asks, wanted, clients):
    turn, cpu, began = Turn(), process_time(), perf_counter()

    async def client():
        for sent, keep in asks:
            await one(port, sent, keep, wanted, turn)

    await asyncio.gather(*(client() for _ in range(clients)))
    turn.seconds, turn.own_cpu = perf_counter() - began, process_time() - cpu
    return turn


async def one(port, sent, keep, wanted, turn):
    """Send one request, and note what came of it."""
    start = perf_counter()
    try:
        status, head, body = await answer(port, sent)
    except (OSError, ValueError, TimeoutError) as error:
        turn.errors[type(error).__name__] += 1
        return
    turn.taken.append(perf_counter() - start)
    if status == wanted:
        keep(head, body)
    else:
        turn.errors[f"{status}: {body[:200].decode(errors='replace')}"] += 1


async def answer(port, sent):
    """Status, head and body of the answer. Raises OSError, TimeoutError, ValueError where none comes."""
    loop, parts = asyncio.get_running_loop(), []
    async with asyncio.timeout(PATIENCE):
        with socket.socket() as connection:
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", port))
            await loop.sock_sendall(connection, sent)
            while got := await loop.sock_recv(connection, 65_536):
                parts.append(got)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return int(head[9:12]), head, body
