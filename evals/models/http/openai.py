"""Any server that speaks OpenAI's chat-completions protocol."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit, urlunsplit

import orjson

from ....errors import ModelError, UsageError
from ....tasks.types import Completion, Message, Usage
from ..base import Model, ModelOptions, Sampling, estimate_tokens
from ..options import read_options, whole_number
from ..reasoning import split_reasoning
from .client import Answer, HttpClient, Signer
from .pool import ServerPool
from .rate_limit import RateLimit
from .retry import Patience, RequestError, model_error

if TYPE_CHECKING:
    import ssl

    from openai.types.chat import ChatCompletionMessageParam
    from openai.types.shared_params import ResponseFormatJSONSchema

OPTIONS: dict[str, Callable[[str], Any]] = {
    "max_tokens_field": str,
    "omit": lambda text: text.split("+"),
    "rpm": whole_number,
    "tpm": whole_number,
}
OWN_ADDRESS = "https://api.openai.com/v1"
CONCURRENCY = 16
ATTEMPTS_TO_CONNECT = 4
# Total time for one chat, retries included, as a multiple of the timeout of one request.
PATIENCE = 2
REFUSING_STATUSES = frozenset({400, 404, 422, 501})  # perhaps because of one parameter


def open_openai(name: str, options: ModelOptions) -> Model:
    """Open ``openai:NAME``; the server is ``--base-url``, else ``$OPENAI_BASE_URL``, else OpenAI's own.

    Several addresses with a comma between them share the requests (see `pool`).

    Model options: ``max_tokens_field`` (``max_completion_tokens`` for servers that want it so); ``omit``
    (parameters that the server refuses and that are not sent, as in ``omit=seed+temperature``); ``rpm`` and ``tpm``
    (requests and tokens a minute, prompt and longest answer together, that one server may be sent).

    Raises:
        UsageError: no model name, no key for a server that is not yours, or an invalid address.
    """
    extra = read_options("openai", options, OPTIONS)
    if not name:
        raise UsageError("which model? give its name as the server knows it: --model openai:NAME")
    base_url = options.base_url or os.environ.get("OPENAI_BASE_URL")
    key = options.api_key or os.environ.get("OPENAI_API_KEY")
    if base_url is None and key is None:
        raise UsageError(
            "no server is given: use --base-url http://HOST/v1 for an OpenAI-compatible server,"
            " or set OPENAI_API_KEY for OpenAI's own"
        )
    addresses = [None] if base_url is None else [api_address(one) for one in base_url.split(",") if one.strip()]
    servers = [
        ChatServer(
            name,
            base_url=address,
            api_key=key or "none",
            concurrency=options.concurrency or CONCURRENCY,
            timeout=options.timeout,
            max_tokens_field=extra.get("max_tokens_field", "max_tokens"),
            omit=extra.get("omit", ()),
            requests_per_minute=extra.get("rpm"),
            tokens_per_minute=extra.get("tpm"),
        )
        for address in addresses
    ]
    if len(servers) == 1:
        return servers[0]
    return ServerPool(servers)


def api_address(text: str) -> str:
    """Return the address that ``/chat/completions`` is added to; ``/v1`` is added where no path is given.

    Raises:
        UsageError: it is not an HTTP address.
    """
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--base-url {text!r} is not an address such as http://localhost:8000/v1")
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


class ChatServer:
    """A model behind an OpenAI-compatible server.

    Temporary failures are tried again (see `retry`); all requests wait when the server asks one to. ``client`` and
    ``patience`` are there for requests to its other addresses.

    Args:
        name: the model as the server knows it.
        base_url: the server's address; OpenAI's own unless given.
        api_key: sent as a bearer token.
        concurrency: requests in flight.
        timeout: seconds that one request may take.
        max_tokens_field: the parameter that bounds an answer.
        omit: parameters that are not sent.
        requests_per_minute, tokens_per_minute: what the server may be sent.
        headers, sign, trust: as `HttpClient` has them.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None,
        api_key: str,
        concurrency: int,
        timeout: float,
        max_tokens_field: str = "max_tokens",
        omit: Sequence[str] = (),
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        headers: Mapping[str, str] | None = None,
        sign: Signer | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self.name = f"openai:{name}"
        self.concurrency = concurrency
        self._model = name
        self._base_url = base_url or OWN_ADDRESS
        self._max_tokens_field = max_tokens_field
        self._omit = tuple(omit)
        self._takes_schema: bool | None = None  # until the server has said so
        self.patience = Patience(attempts_to_connect=ATTEMPTS_TO_CONNECT, seconds=PATIENCE * timeout)
        self.client = HttpClient(
            self._base_url,
            concurrency=concurrency,
            timeout=timeout,
            headers={"Authorization": f"Bearer {api_key}", **(headers or {})},
            sign=sign,
            trust=trust,
            rate_limit=RateLimit(concurrency, requests=requests_per_minute, tokens=tokens_per_minute),
        )
        self.identity: Mapping[str, Any] = {"backend": "openai", "model": name, "base_url": self._where()}
        if omit:
            self.identity = {**self.identity, "not_sent": sorted(omit)}

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat, trying again after temporary failures.

        What is refused with a schema is asked for without one; a server that had never taken one then gets no more.
        Rate limits are waited out as long as the patience lasts; other failures are also counted.

        Raises:
            ModelError: the server refused, or kept failing (``fatal``: wrong key, no such model, no server).
        """
        body = self._body(messages, sampling)
        refusal: RequestError | None = None
        try:
            try:
                completion = await self._ask(body, messages, sampling)
            except RequestError as error:
                if error.status not in REFUSING_STATUSES or body.pop("response_format", None) is None:
                    raise
                refusal = error
                completion = await self._ask(body, messages, sampling)
        except RequestError as error:
            raise self._model_error(error) from None
        self._learn(body, refusal)
        return completion

    async def _ask(self, body: Mapping[str, Any], messages: Sequence[Message], sampling: Sampling) -> Completion:
        tokens = estimate_tokens(messages, sampling.schema) + sampling.max_tokens
        return await self.client.ask("/chat/completions", body, self._read, self.patience, tokens=tokens)

    def _read(self, answer: Answer) -> Completion:
        return read_answer(answer.content, latency=answer.seconds)

    def _model_error(self, error: RequestError) -> ModelError:
        return model_error(error, self._where())

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
            body["stop"] = list(sampling.stop)
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

    def _where(self) -> str:
        parts = urlsplit(self._base_url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


def read_answer(content: bytes, *, latency: float) -> Completion:
    """Read the body of a chat completion.

    Raises:
        RequestError: it is not one (broken JSON, no choices, an HTML page of a proxy).
    """
    try:
        body = _parse(content)
        choice = body["choices"][0]
        message = choice["message"]
        text = message.get("content") or message.get("refusal") or ""
        reasoning = message.get("reasoning_content") or message.get("reasoning") or None
        if isinstance(text, list):
            text = "".join(part["text"] for part in text if part.get("type") == "text")
        if not isinstance(text, str) or not isinstance(reasoning, str | None):
            raise TypeError("the content is not text")
        usage, reason = body.get("usage") or {}, choice.get("finish_reason")
        completion = Completion(
            text=text,
            reasoning=reasoning,
            finish_reason=reason if isinstance(reason, str) else None,
            usage=Usage.from_server(usage),
            latency=round(latency, 6),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        start = content[:80].decode("utf-8", "replace")
        raise RequestError(f"sent no chat completion ({type(error).__name__}) but {start!r}") from None
    return split_reasoning(completion)


def _parse(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # Answers cut inside an emoji contain an unpaired surrogate or an incomplete UTF-8 sequence.
        lenient = json.dumps(json.loads(content.decode("utf-8", "replace")), ensure_ascii=False)
        return orjson.loads(lenient.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
