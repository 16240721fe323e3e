"""``samples.parquet``: the rows of a finished run, a column a field, for pandas, DuckDB and friends.

A process of its own writes it (``python -m evalkit.evals.records.parquet RUN``): pyarrow takes as much memory as
all the rest of a run together.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import EvalkitError, RunError
from ...files import encode, replacing
from ...tasks.types import Usage
from .rows import SampleRow, read_rows

ROWS_PER_GROUP = 1_000
COLUMNS = (
    "task", "id", "epoch", "messages", "text", "reasoning", "finish_reason", "value", "status", "parts",
    "explanation", "prompt_tokens", "completion_tokens", "latency", "metadata",
)  # fmt: skip
COUNTS = ("epoch", "prompt_tokens", "completion_tokens")
NUMBERS = ("value", "latency")


def write_parquet(directory: Path) -> None:
    """Compact ``samples.jsonl`` into ``samples.parquet`` (zstd); nested fields become JSON text.

    Raises:
        RunError: it cannot be written.
    """
    command = (sys.executable, "-m", "evalkit.evals.records.parquet", str(directory))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(done.stderr.strip() or f"samples.parquet could not be written ({done.returncode})")


def compact(directory: Path) -> None:
    """Do what `write_parquet` says, in this process."""
    import pyarrow
    from pyarrow import parquet

    types = dict.fromkeys(COUNTS, pyarrow.int64()) | dict.fromkeys(NUMBERS, pyarrow.float64())
    schema = pyarrow.schema({name: types.get(name, pyarrow.string()) for name in COLUMNS})
    rows = map(_flat, read_rows(directory))
    with (
        replacing(directory / "samples.parquet") as file,
        parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        while group := list(islice(rows, ROWS_PER_GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))


def _flat(row: SampleRow) -> dict[str, Any]:
    completion, usage, score = row.completion, row.usage or Usage(), row.score
    return {
        "task": row.task,
        "id": row.id,
        "epoch": row.epoch,
        "text": None if completion is None else completion.text,
        "reasoning": None if completion is None else completion.reasoning,
        "finish_reason": None if completion is None else completion.finish_reason,
        "value": score.value,
        "status": score.status.value,
        "explanation": score.explanation,
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "latency": row.latency,
        "messages": encode(row.messages).decode(),
        "parts": encode(score.parts).decode(),
        "metadata": encode(row.metadata).decode(),
    }


class _NoPandas:
    """pyarrow would import pandas, half of its memory, to see whether a list is a Series."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


if __name__ == "__main__":
    sys.meta_path.insert(0, _NoPandas())
    try:
        compact(Path(sys.argv[1]))
    except EvalkitError as error:
        sys.exit(str(error))
