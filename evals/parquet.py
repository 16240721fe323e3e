"""``samples.parquet``: the rows of a finished run, a column a field, for pandas, DuckDB and friends."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from .store import encode, read_rows, replacing

ROWS_PER_GROUP = 10_000


def write_parquet(directory: Path) -> None:
    """Compact ``samples.jsonl`` into ``samples.parquet`` (zstd); nested fields become JSON text.

    Raises:
        RunError: it cannot be written.
    """
    import pyarrow
    from pyarrow import parquet

    text, number, count = pyarrow.string(), pyarrow.float64(), pyarrow.int64()
    schema = pyarrow.schema(
        {
            "task": text,
            "id": text,
            "epoch": count,
            "messages": text,
            "text": text,
            "reasoning": text,
            "finish_reason": text,
            "value": number,
            "status": text,
            "parts": text,
            "explanation": text,
            "prompt_tokens": count,
            "completion_tokens": count,
            "latency": number,
            "metadata": text,
        }
    )
    rows = map(_flat, read_rows(directory))
    with (
        replacing(directory / "samples.parquet") as file,
        parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        while group := list(islice(rows, ROWS_PER_GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    completion, usage, score = row["completion"] or {}, row["usage"] or {}, row["score"]
    return {
        **{name: row[name] for name in ("task", "id", "epoch")},
        **{name: completion.get(name) for name in ("text", "reasoning", "finish_reason")},
        **{name: score[name] for name in ("value", "status", "explanation")},
        **{name: usage.get(name) for name in ("prompt_tokens", "completion_tokens")},
        "latency": row["timing"]["latency"],
        "messages": encode(row["messages"]).decode(),
        "parts": encode(score["parts"]).decode(),
        "metadata": encode(row["metadata"]).decode(),
    }
