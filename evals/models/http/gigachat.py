"""GigaChat, the models of Sber: https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/gigachat-api."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ....errors import ModelError, UsageError
from ....tasks.types import Completion, Message
from ..base import Model, ModelOptions, Sampling
from ..options import environment, read_options, trust
from .client import HttpClient
from .gigachat_token import AccessTokens, untrusted
from .openai import api_address
from .provider import Provider
from .retry import Failure, RequestError

BASE_URL = "https://gigachat.devices.sberbank.ru/api/v1"
AUTH_URL = "https://ngw.devices.sberbank.ru:9443/api/v2/oauth"
# Requests in flight that the provider allows, by scope: one for a person, ten for a company.
CONCURRENCY = {"GIGACHAT_API_PERS": 1, "GIGACHAT_API_B2B": 10, "GIGACHAT_API_CORP": 10}


def open_gigachat(name: str, options: ModelOptions) -> Model:
    """Open ``gigachat:NAME`` (``GigaChat-2``, ``GigaChat-2-Pro``, ``GigaChat-2-Max``, …).

    The authorization key is read from ``GIGACHAT_CREDENTIALS``. Model options: ``scope`` (``GIGACHAT_API_PERS``, or
    ``…_B2B``, ``…_CORP`` for companies; default ``$GIGACHAT_SCOPE``), ``ca_bundle`` (PEM file of the Russian
    Trusted Root CA where the system does not trust it; default ``$GIGACHAT_CA_BUNDLE_FILE``), ``auth_url``.

    Raises:
        UsageError: no model name, no key, a wrong key, scope or certificate file.
    """
    extra = read_options("gigachat", options, {"scope": _scope, "ca_bundle": str, "auth_url": str})
    if not name:
        raise UsageError("which model? give its name: --model gigachat:GigaChat-2")
    key = _key(environment("GIGACHAT_CREDENTIALS") or "")
    scope = extra.get("scope") or _scope(environment("GIGACHAT_SCOPE") or "GIGACHAT_API_PERS")
    trusted = trust("gigachat", extra.get("ca_bundle") or environment("GIGACHAT_CA_BUNDLE_FILE"))
    client = HttpClient(
        api_address(options.base_url, "/api/v1") if options.base_url else BASE_URL,
        concurrency=options.concurrency or CONCURRENCY[scope],
        timeout=options.timeout,
        sign=AccessTokens(extra.get("auth_url", AUTH_URL), key, scope, trust=trusted).sign,
        trust=trusted,
    )
    return GigaChat("gigachat", name, client, model=name)


class GigaChat(Provider):
    """A GigaChat model: greedy is ``top_p`` 0, since its temperature lies above 0."""

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        # The API knows no schemas.
        body = super()._body(messages, replace(sampling, schema=None))
        if sampling.temperature == 0:
            del body["temperature"]
            body["top_p"] = 0
        return body

    def _model_error(self, error: RequestError) -> ModelError:
        if error.failure is Failure.UNTRUSTED:
            return ModelError(untrusted(self.client.address), fatal=True)
        return super()._model_error(error)

    async def generate(self, messages: Sequence[Message], sampling: Sampling) -> Completion:
        """Answer one chat; what the provider's filter refused has the finish reason ``content_filter``.

        Raises:
            ModelError: no token, or the server refused or kept failing.
        """
        completion = await super().generate(messages, sampling)
        if completion.finish_reason == "blacklist":
            return replace(completion, finish_reason="content_filter")
        return completion


def _key(text: str) -> str:
    if not text:
        raise UsageError(
            "gigachat needs an authorization key: set GIGACHAT_CREDENTIALS to the key of your project's page"
            " (and GIGACHAT_SCOPE, if you are a company)"
        )
    try:
        pair = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pair = b""
    if b":" not in pair:
        raise UsageError(
            "GIGACHAT_CREDENTIALS is not an authorization key: that is base64 of 'client id:client secret', as the"
            " project's page shows it"
        )
    return text


def _scope(text: str) -> str:
    if text not in CONCURRENCY:
        raise UsageError(f"gigachat: the scope {text!r} is not one of {', '.join(CONCURRENCY)}")
    return text
