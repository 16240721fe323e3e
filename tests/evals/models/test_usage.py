"""What servers say of tokens: a number that is none is unknown, and never spoils a row that was paid for."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from evalkit.evals.models.http.answer import read_answer
from evalkit.evals.records.rows import SampleRow, decode, encode
from evalkit.tasks.types import Score, Usage


@pytest.mark.parametrize(
    ("value", "count"),
    [(3, 3), (0, 0), (3.0, 3), (3.5, None), (-1, None), ("3", None), (True, None), (None, None), ([], None),
     (math.nan, None), (math.inf, None), (10**400, None)],
)  # fmt: skip
def test_what_is_no_count_is_unknown(value: Any, count: int | None) -> None:
    assert Usage.from_server({"prompt_tokens": value, "completion_tokens": value}) == Usage(count, count)


@pytest.mark.parametrize("tokens", [-1, 3.5, "three", [1], {}, True])
@pytest.mark.parametrize("reason", [None, 5, ["stop"], "stop"])
def test_a_row_of_an_odd_server_is_read_back(tokens: Any, reason: Any) -> None:
    choice = {"message": {"content": "ответ"}, "finish_reason": reason}
    body = {"choices": [choice], "usage": {"prompt_tokens": tokens, "completion_tokens": tokens}}
    row = SampleRow("t", "1", 0, Score(1.0), completion=read_answer(orjson.dumps(body), latency=0.1))
    assert decode(orjson.loads(encode(row)), source="samples.jsonl", line=1) == row
