"""The rows of a training's journals: what is written is what was read, byte for byte; damaged lines are named."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from evalkit.errors import InputError
from evalkit.evals.records.training import AnswerRow, CanaryRow, MetricsRow, read_training

METRICS = (
    b'{"step":2,"reward":0.5,"watched":{"strict":{"value":0.5,"answers":4,"gap":0.0}},"sampled":4,"informative":3,'
    b'"outcome":"short","learning_rate":0.001,"loss":0.25,"critic_alarm":"AUROC","learning_seconds":0.1,'
    b'"reset":"manual","validation":null,"canaries":{"unchanged":1.0},"alarms":["entropy"]}\n'
)
ANSWER = (
    '{"step":1,"family":"math","id":"p1","version":0,"text":"Да","reward":null,"shaped":null,"components":{"a":1.0},'
    '"watched":{},"problem":"timeout","tokens":3,"finish_reason":"stop","critic":{"score":0.5}}\n'
).encode()
CANARIES = '{"step":0,"answers":[{"text":"Да","reward":1.0,"tokens":1}]}\n'.encode()


@pytest.mark.parametrize(("kind", "line"), [(MetricsRow, METRICS), (AnswerRow, ANSWER), (CanaryRow, CANARIES)])
def test_a_line_is_written_as_it_was_read(tmp_path: Path, kind: type, line: bytes):
    (tmp_path / kind.FILE).write_bytes(line + b'{"torn')
    (row,) = read_training(tmp_path, kind)
    assert orjson.dumps(row.as_json()) + b"\n" == line


def test_the_fields_of_metrics():
    row = MetricsRow.from_json(orjson.loads(METRICS))
    assert (row.step, row.reward, row.number("loss"), row.number("kl")) == (2, 0.5, 0.25, None)
    assert (row.outcome, row.critic_alarm, row.reset, row.alarms) == ("short", "AUROC", "manual", ("entropy",))
    assert row.informative_share == 0.75
    assert row.watched["strict"]["gap"] == 0.0


def test_rows_of_older_versions_lack_fields():
    row = MetricsRow.from_json({"step": 1})
    assert (row.alarms, row.outcome, row.watched, row.informative_share) == ((), "full", {}, None)
    line = {name: value for name, value in orjson.loads(ANSWER).items() if name not in ("watched", "critic")}
    answer = AnswerRow.from_json(line)
    assert (answer.watched, answer.critic) == ({}, None)


@pytest.mark.parametrize("line", [b"[1]\n", b'{"reward":1.0}\n', b'{"step":null}\n'])
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: bytes):
    (tmp_path / "metrics.jsonl").write_bytes(METRICS + line)
    with pytest.raises(InputError, match=r"metrics.jsonl:2: not a row of a training"):
        list(read_training(tmp_path, MetricsRow))
