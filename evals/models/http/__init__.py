"""Models behind an HTTP address: OpenAI-compatible servers, GigaChat, Yandex."""
