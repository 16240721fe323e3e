"""Messages over a stream socket: four bytes of length, then JSON."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from typing import Any

MESSAGE_LIMIT = 16 * 2**20
_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 18

# Kept by name: a program in the child may replace what the module holds.
_dumps, _loads = json.dumps, json.loads


class WireError(Exception):
    """The other side sent something that is no message, or one that is too long."""


def pack(message: Any) -> bytes:
    """Return a message as it goes over the wire.

    Raises:
        WireError: it is longer than 16 MiB.
        RecursionError: it is nested too deeply.
    """
    body = _dumps(message, separators=(",", ":")).encode()
    if len(body) > MESSAGE_LIMIT:
        raise WireError(f"a message of {len(body)} bytes is longer than {MESSAGE_LIMIT}")
    return _LENGTH.pack(len(body)) + body


def unpack(body: bytes) -> Any:
    """Return the message in a body.

    Raises:
        WireError: it is not JSON.
    """
    try:
        return _loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not a message: {type(error).__name__}") from None


def body_length(header: bytes) -> int:
    """Return the length of the body that follows a header of four bytes.

    Raises:
        WireError: it is longer than 16 MiB.
    """
    (length,) = _LENGTH.unpack(header)
    if length > MESSAGE_LIMIT:
        raise WireError(f"a message of {length} bytes is longer than {MESSAGE_LIMIT}")
    return int(length)


def send(connection: socket.socket, message: Any) -> None:
    """Send one message.

    Raises:
        WireError: it is too long.
        OSError: the connection was closed.
    """
    connection.sendall(pack(message))


def receive(connection: socket.socket, wait: Callable[[], None] | None = None) -> Any:
    """Receive one message; ``wait`` is called before each read and may raise to give up.

    Raises:
        EOFError: the connection was closed.
        WireError: what came is no message.
    """
    return unpack(_exactly(connection, body_length(_exactly(connection, _LENGTH.size, wait)), wait))


def _exactly(connection: socket.socket, size: int, wait: Callable[[], None] | None) -> bytes:
    received = bytearray()
    while len(received) < size:
        if wait is not None:
            wait()
        try:
            chunk = connection.recv(min(size - len(received), _CHUNK))
        except ConnectionError:
            chunk = b""
        if not chunk:
            raise EOFError("the connection was closed")
        received += chunk
    return bytes(received)
