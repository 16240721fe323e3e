"""Yandex AI Studio, YandexGPT and others: https://yandex.cloud/ru/docs/ai-studio/concepts/openai-compatibility."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ModelError, UsageError
from ....tasks.types import Message
from ..base import Model, ModelOptions, Sampling
from ..options import checked_key, environment, read_options, trust
from .client import HttpClient
from .openai import api_address
from .provider import Provider

BASE_URL = "https://ai.api.cloud.yandex.net/v1"
# Requests in flight that the provider's quota allows.
CONCURRENCY = 10


def open_yandex(name: str, options: ModelOptions) -> Model:
    """Open ``yandex:NAME``: a model (``aliceai-llm``), its branch too (``yandexgpt/rc``), or a URI (``gpt://…``).

    The key is read from ``YC_API_KEY`` (a service account's), else an IAM token from ``YC_IAM_TOKEN``. The folder
    is the model option ``folder``, else ``YC_FOLDER_ID``; ``ca_bundle`` names a PEM file of certificates.
    The provider is asked not to log the requests.

    Raises:
        UsageError: no model name, no key, no folder.
    """
    extra = read_options("yandex", options, {"folder": str, "ca_bundle": str})
    if not name:
        raise UsageError("which model? give its name: --model yandex:aliceai-llm")
    uri = model_uri(name, extra.get("folder") or environment("YC_FOLDER_ID") or "")
    client = HttpClient(
        api_address(options.base_url) if options.base_url else BASE_URL,
        concurrency=options.concurrency or CONCURRENCY,
        timeout=options.timeout,
        headers={
            "Authorization": _authorization(),
            "OpenAI-Project": uri.split("/")[2],
            "x-data-logging-enabled": "false",
        },
        trust=trust("yandex", extra.get("ca_bundle")),
    )
    return Yandex("yandex", name, client, model=uri)


class Yandex(Provider):
    """A model of Yandex AI Studio, which has no ``top_p``."""

    def _body(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        if sampling.top_p is not None:
            raise ModelError(f"{self.name} has no top_p: leave --top-p out, or use --temperature", fatal=True)
        return super()._body(messages, sampling)


def model_uri(name: str, folder: str) -> str:
    """Return a model's URI: ``gpt://folder/name/branch``, with the branch ``latest`` unless the name has another.

    Raises:
        UsageError: a folder is needed and there is none, or this is not a URI of a text model.
    """
    if "://" in name:
        scheme, _, path = name.partition("://")
        if scheme != "gpt" or path.count("/") < 1 or not all(path.split("/")):
            raise UsageError(f"yandex:{name} is not the URI of a text model: gpt://FOLDER/MODEL/latest")
        return name
    if not folder:
        raise UsageError("yandex needs a folder: set YC_FOLDER_ID, or give yandex:MODEL,folder=ID")
    return f"gpt://{folder}/{name}" if "/" in name else f"gpt://{folder}/{name}/latest"


def _authorization() -> str:
    if key := environment("YC_API_KEY"):
        return f"Api-Key {checked_key(key, 'YC_API_KEY')}"
    if token := environment("YC_IAM_TOKEN"):
        return f"Bearer {checked_key(token, 'YC_IAM_TOKEN')}"
    raise UsageError(
        "yandex needs a key: set YC_API_KEY (an API key of a service account) or YC_IAM_TOKEN (an IAM token)"
    )
