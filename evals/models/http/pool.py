"""Several servers with the same model: each request goes to the least busy one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....errors import ModelError, UsageError
from ....tasks.types import Completion, Message
from ..base import Model, Sampling


class ServerPool:
    """One model behind several addresses.

    A server that can no longer be reached, or refuses everything, is left out; its requests go to the others. The
    identity has all addresses, sorted, so that their order does not make another run.
    """

    def __init__(self, servers: Sequence[Model]) -> None:
        if not servers:
            raise UsageError("a pool needs at least one server")
        self.name = servers[0].name
        addresses = sorted(str(server.identity["base_url"]) for server in servers)
        self.identity: Mapping[str, Any] = {**servers[0].identity, "base_url": ",".join(addresses)}
        self.concurrency = sum(server.concurrency for server in servers)
        self._in_flight = dict.fromkeys(servers, 0)
        self._lost: dict[Model, ModelError] = {}

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat.

        Raises:
            ModelError: a server refused this chat, or all servers are lost (then ``fatal``).
        """
        while True:
            server = self._least_busy()
            self._in_flight[server] += 1
            try:
                return await server.generate(messages, sampling)
            except ModelError as error:
                if not error.fatal:
                    raise
                self._lost[server] = error
            finally:
                self._in_flight[server] -= 1

    def _least_busy(self) -> Model:
        there = [server for server in self._in_flight if server not in self._lost]
        if not there:
            reasons = "; ".join(dict.fromkeys(str(error) for error in self._lost.values()))
            raise ModelError(f"no server is left: {reasons}", fatal=True)
        return min(there, key=lambda server: self._in_flight[server])

    async def close(self) -> None:
        """Close the connections."""
        for server in self._in_flight:
            await server.close()
