"""Many tries to sign in, as fast as one connection carries them."""

from __future__ import annotations

import re
import socket
from collections import Counter
from urllib.parse import urlsplit

AT_ONCE = 50


def hammered(address: str, login: str, times: int) -> Counter[int]:
    """How often each status came for `times` requests, half to sign in and half with codes that somebody made up."""
    at = urlsplit(address)
    statuses: Counter[int] = Counter()
    for first in range(0, times, AT_ONCE):
        with socket.create_connection((at.hostname, at.port), timeout=30) as connection:
            for n in range(first, first + AT_ONCE):
                guessed = f"/oauth2callback?code=code-that-somebody-guessed-{n}&state=state-that-somebody-guessed-{n}"
                last = "Connection: close\r\n" if n == first + AT_ONCE - 1 else ""
                connection.sendall(
                    f"GET {guessed if n % 2 else login} HTTP/1.1\r\nHost: {at.netloc}\r\n{last}\r\n".encode()
                )
            answered = b""
            while more := connection.recv(1 << 16):
                answered += more
        statuses.update(int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", answered))
    return statuses
