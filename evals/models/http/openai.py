"""Any server that speaks OpenAI's chat-completions protocol."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit, urlunsplit

from ....errors import ModelError, UsageError
from ....tasks.types import Completion, Message
from ..base import Model, ModelOptions, Sampling, estimate_tokens
from ..options import checked_key, environment, read_options, trust, whole_number
from .answer import error_reason, read_answer
from .client import Answer, HttpClient
from .pool import ServerPool
from .rate_limit import RateLimit
from .retry import Failure, Patience, RequestError, error_field, model_error

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam
    from openai.types.shared_params import ResponseFormatJSONSchema

OPTIONS: dict[str, Callable[[str], Any]] = {
    "max_tokens_field": str,
    "omit": lambda text: text.split("+"),
    "ca_bundle": str,
    "rpm": whole_number,
    "tpm": whole_number,
}
OWN_ADDRESS = "https://api.openai.com/v1"
CONCURRENCY = 16
ATTEMPTS_TO_CONNECT = 4
# Total time for one chat, retries included, as a multiple of the timeout of one request.
PATIENCE = 2
REFUSING_STATUSES = frozenset({400, 404, 422, 501})  # perhaps because of one parameter
# OpenAI takes no more stop strings; those that are not sent are honoured on arrival.
MOST_STOPS = 4
_UNSUPPORTED = re.compile(
    r"unsupported|not support|instead|unrecogni|unknown|not permitted|unexpected", re.IGNORECASE
)


def open_openai(name: str, options: ModelOptions) -> Model:
    """Open ``openai:NAME``; the server is ``--base-url``, else ``$OPENAI_BASE_URL``, else OpenAI's own.

    Several addresses with a comma between them share the requests (see `pool`).

    Model options: ``max_tokens_field`` (``max_completion_tokens`` for servers that want it so; one that says so is
    understood); ``omit`` (parameters that the server refuses and that are not sent, as in
    ``omit=seed+temperature``); ``rpm`` and ``tpm`` (requests and tokens a minute, prompt and longest answer
    together, that one server may be sent); ``ca_bundle`` (PEM file of a certificate authority of your own).

    Raises:
        UsageError: no model name, no key for a server that is not yours, an invalid key, address or file.
    """
    extra = read_options("openai", options, OPTIONS)
    if not name:
        raise UsageError("which model? give its name as the server knows it: --model openai:NAME")
    base_url = options.base_url or environment("OPENAI_BASE_URL")
    key = options.api_key or environment("OPENAI_API_KEY")
    if base_url is None and key is None:
        raise UsageError(
            "no server is given: use --base-url http://HOST/v1 for an OpenAI-compatible server,"
            " or set OPENAI_API_KEY for OpenAI's own"
        )
    text = OWN_ADDRESS if base_url is None else base_url
    addresses = [api_address(one) for one in text.split(",") if one.strip()]
    concurrency = options.concurrency or CONCURRENCY
    key = checked_key(key or "none", "the API key (OPENAI_API_KEY or the option)")
    trusted = trust("openai", extra.get("ca_bundle"))
    servers = [
        ChatServer(
            name,
            HttpClient(
                address,
                concurrency=concurrency,
                timeout=options.timeout,
                headers={"Authorization": f"Bearer {key}"},
                trust=trusted,
                rate_limit=RateLimit(concurrency, requests=extra.get("rpm"), tokens=extra.get("tpm")),
            ),
            max_tokens_field=extra.get("max_tokens_field", "max_tokens"),
            omit=extra.get("omit", ()),
        )
        for address in addresses
    ]
    if len(servers) == 1:
        return servers[0]
    return ServerPool(servers)


def api_address(text: str, path: str = "/v1") -> str:
    """Return the address that ``/chat/completions`` is added to; ``path`` is added where none is given.

    Raises:
        UsageError: it is not an HTTP address.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--base-url {text!r} is not an address such as http://localhost:8000/v1")
    given = parts.path.rstrip("/").removesuffix("/chat/completions")
    return urlunsplit((parts.scheme, parts.netloc, given or path, "", ""))


class ChatServer:
    """A model behind an OpenAI-compatible server.

    Temporary failures are tried again (see `retry`); all requests wait when the server asks one to. ``client`` and
    ``patience`` are there for requests to its other addresses.

    Args:
        name: the model as the server knows it.
        client: of the server, with its key among the headers.
        max_tokens_field: the parameter that bounds an answer.
        omit: parameters that are not sent.
    """

    def __init__(
        self, name: str, client: HttpClient, *, max_tokens_field: str = "max_tokens", omit: Sequence[str] = ()
    ) -> None:
        self.name = f"openai:{name}"
        self.client = client
        self.concurrency = client.concurrency
        self._model = name
        self._max_tokens_field = max_tokens_field
        self._omit = tuple(omit)
        self._takes_schema: bool | None = None  # until the server has said so
        self.patience = Patience(attempts_to_connect=ATTEMPTS_TO_CONNECT, seconds=PATIENCE * client.timeout)
        self.identity: Mapping[str, Any] = {"backend": "openai", "model": name, "base_url": client.address}
        if omit:
            self.identity = {**self.identity, "not_sent": sorted(omit)}

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat, trying again after temporary failures.

        What is refused with a schema is asked for without one; a server that had never taken one then gets no more.
        One that wants another name for ``max_tokens`` gets it. Rate limits are waited out as long as the patience
        lasts; other failures are also counted. Stop strings hold whether or not the server knows them.

        Raises:
            ModelError: the server refused, or kept failing (``fatal``: wrong key, no such model, no server).
        """
        body = self._body(messages, sampling)
        refusal: RequestError | None = None
        renamed = False
        try:
            while True:
                try:
                    completion = await self._ask(body, messages, sampling)
                    break
                except RequestError as error:
                    if error.status not in REFUSING_STATUSES:
                        raise
                    if not renamed and self._rename_max_tokens(body, error):
                        renamed = True
                    elif refusal is None and body.pop("response_format", None) is not None:
                        refusal = error
                    else:
                        raise
        except RequestError as error:
            raise self._with_remedy(error, body) from None
        self._learn(body, refusal)
        return cut_at_stop(completion, sampling.stop)

    async def _ask(self, body: Mapping[str, Any], messages: Sequence[Message], sampling: Sampling) -> Completion:
        tokens = estimate_tokens(messages, sampling.schema) + sampling.max_tokens
        return await self.client.ask("/chat/completions", body, self._read, self.patience, tokens=tokens)

    def _read(self, answer: Answer) -> Completion:
        return read_answer(answer.content, latency=answer.seconds)

    def _model_error(self, error: RequestError) -> ModelError:
        return model_error(error, self._where())

    def _with_remedy(self, error: RequestError, body: Mapping[str, Any]) -> ModelError:
        """Return the error for the user: for a refused parameter, with the option that leaves it out."""
        refused = _refused_parameter(error, body)
        if refused is None:
            return self._model_error(error)
        if not self.client.answered:
            error.failure = Failure.FATAL  # of the first request, so of all
        told = self._model_error(error)
        return ModelError(f"{told}; to leave {refused} out: {self.name},omit={refused}", fatal=told.fatal)

    def _rename_max_tokens(self, body: dict[str, Any], error: RequestError) -> bool:
        """Rename the bound of the answer if that is what the server asks for; it is then sent so from now on."""
        sent = _refused_parameter(error, body)
        wanted = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}.get(sent or "")
        if sent is None or wanted is None or wanted not in error_reason(error.content):
            return False
        body[wanted] = body.pop(sent)
        if self._max_tokens_field != wanted:
            self._max_tokens_field = wanted
            print(f"{self.name} refuses {sent}: {wanted} is sent instead", file=sys.stderr)
        return True

    def _where(self) -> str:
        """Return how errors name the server."""
        return self.client.address

    def _learn(self, body: Mapping[str, Any], refusal: RequestError | None) -> None:
        """Remember whether the server supports schemas; ``refusal`` is its error for the same chat with one."""
        if self._takes_schema is None and "response_format" in body:
            self._takes_schema = True
        elif self._takes_schema is None and refusal is not None:
            self._takes_schema = False
            reason = self._model_error(refusal)
            print(
                f"{self.name} supports no JSON schemas, answers are requested as text: {reason}",
                file=sys.stderr,
            )

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        chat = [cast("ChatCompletionMessageParam", message.as_json()) for message in messages]
        body: dict[str, Any] = {
            "model": self._model,
            "messages": chat,
            "temperature": sampling.temperature,
            self._max_tokens_field: sampling.max_tokens,
        }
        if sampling.top_p is not None:
            body["top_p"] = sampling.top_p
        if sampling.stop:
            body["stop"] = list(sampling.stop[:MOST_STOPS])
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if sampling.schema is not None and self._takes_schema is not False:
            wanted: ResponseFormatJSONSchema = {
                "type": "json_schema",
                "json_schema": {"name": "verdict", "strict": True, "schema": dict(sampling.schema)},
            }
            body["response_format"] = wanted
        for parameter in self._omit:
            body.pop(parameter, None)
        return body

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


def cut_at_stop(completion: Completion, stop: Sequence[str]) -> Completion:
    """Return an answer as a server that knows ``stop`` would have sent it: up to the first of these strings."""
    places = [place for word in stop if word and (place := completion.text.find(word)) >= 0]
    if not places:
        return completion
    return replace(completion, text=completion.text[: min(places)], finish_reason="stop")


def _refused_parameter(error: RequestError, body: Mapping[str, Any]) -> str | None:
    """Return the parameter of the body that the server does not know or want, None if that is not its reason."""
    reason = error_reason(error.content)
    if error.status not in REFUSING_STATUSES or not _UNSUPPORTED.search(reason):
        return None
    named = error_field(error.content, "param") or next(
        (name for name in body if re.search(rf"['\"`]{name}['\"`]", reason)), None
    )
    return named if named in body and named not in ("model", "messages") else None
