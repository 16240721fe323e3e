"""A task of evalkit as a task of lm-eval.

::

    lm_eval --tasks evalkit_ruifeval --include_path $(evalkit lm-eval-path) …

The YAML files in ``tasks/`` name an evalkit task each; a task of your own needs one like them:

.. code-block:: yaml

    task: evalkit_capitals
    class: !function evalkit.evals.lm_eval.provider.EvalkitTask
    metadata: {evalkit_task: "path/to/capitals.py:capitals"}

Only lm-eval imports this module.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.metrics import mean
from lm_eval.api.task import Task as LmEvalsTask
from lm_eval.config.task import TaskConfig

from ...errors import UsageError
from ...tasks.base import BaseTask
from ...tasks.registry import open_task
from ...tasks.types import Completion, Context, Metric, Sample, Score
from ..models.reasoning import split_reasoning

SCORE = "score"


class EvalkitTask(LmEvalsTask):  # type: ignore[misc]  # lm-eval has no types
    """What lm-eval asks of a task, answered by one of evalkit's.

    ``metadata.evalkit_task`` of the YAML is the task's name; ``--metadata evalkit_data=FILE`` gives its published
    file. The metrics are the task's own, and ``score``, the mean of `Score.value`. Answers without
    a score (the scorer failed) are left out of all of them.
    """

    OUTPUT_TYPE = "generate_until"

    def __init__(self, config: Mapping[str, Any]) -> None:
        given = config["metadata"]
        self._task = _open(given["evalkit_task"], given.get("evalkit_data"))
        self._samples = {sample.id: sample for sample in _read(self._task, given.get("evalkit_data"))}
        self.VERSION = self._task.version
        super().__init__()
        self._defaults = {
            "until": [],
            "max_gen_toks": self._task.max_tokens,
            "temperature": 0.0,
            "do_sample": False,
        }
        self._config = TaskConfig(
            task=config["task"],
            output_type=self.OUTPUT_TYPE,
            num_fewshot=0,
            generation_kwargs=dict(self._defaults),
            metadata={**given, "version": self.VERSION},
        )

    def download(self, *places: Any, **settings: Any) -> None:
        """Do nothing: the samples are here."""

    def has_training_docs(self) -> bool:
        """Return False: there are no few-shot examples."""
        return False

    def has_validation_docs(self) -> bool:
        """Return False: all samples are for testing."""
        return False

    def has_test_docs(self) -> bool:
        """Return True."""
        return True

    def test_docs(self) -> list[dict[str, Any]]:
        """Return the samples as plain dictionaries."""
        return [
            {
                "id": sample.id,
                "messages": [message.as_json() for message in sample.messages],
                "target": sample.target,
                "metadata": dict(sample.metadata),
            }
            for sample in self._samples.values()
        ]

    def doc_to_text(self, doc: Mapping[str, Any]) -> str:
        """Return the prompt as one text."""
        return "\n\n".join(message["content"] for message in doc["messages"])

    def doc_to_target(self, doc: Mapping[str, Any]) -> Any:
        """Return the gold answer, which only some tasks have."""
        return doc["target"]

    def fewshot_context(
        self,
        doc: Mapping[str, Any],
        num_fewshot: int = 0,
        *,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        chat_template: Callable[[list[dict[str, str]]], str] | None = None,
        **settings: Any,
    ) -> str:
        """Return the prompt: the messages through the chat template, or their text without one."""
        if not apply_chat_template or chat_template is None:
            return "\n\n".join(filter(None, (system_instruction, self.doc_to_text(doc))))
        system = [{"role": "system", "content": system_instruction}] if system_instruction else []
        return chat_template([*system, *doc["messages"]])

    def construct_requests(self, doc: Mapping[str, Any], ctx: str, **settings: Any) -> Instance:
        """Return the one request of a sample; the user's settings override those of the sample."""
        wanted = self._samples[doc["id"]].sampling
        temperature = wanted.get("temperature", 0.0)
        own = {
            **self._defaults,
            "until": list(wanted.get("stop", ())),
            "max_gen_toks": wanted.get("max_tokens", self._task.max_tokens),
            "temperature": temperature,
            "do_sample": temperature > 0,
        }
        set_by_user = {k: v for k, v in self.config.generation_kwargs.items() if self._defaults.get(k) != v}
        return Instance(self.OUTPUT_TYPE, doc, (ctx, {**own, **set_by_user}), 0, metadata=settings["metadata"])

    def process_results(self, doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, Any]:
        """Score the answer with evalkit's own scorer."""
        score = _score(self._task, self._samples[doc["id"]], split_reasoning(Completion(results[0])))
        if score.value is None:
            return {}
        return {**{metric.name: _observed(metric, score) for metric in self._task.metrics}, SCORE: score.value}

    def aggregation(self) -> dict[str, Callable[[Sequence[Any]], float]]:
        """Return how each metric comes from the samples' values."""
        return {**{metric.name: _aggregation(metric) for metric in self._task.metrics}, SCORE: mean}

    def higher_is_better(self) -> dict[str, bool]:
        """Return True for each metric."""
        return dict.fromkeys((*(metric.name for metric in self._task.metrics), SCORE), True)


def _open(name: str, data: str | None) -> BaseTask:
    task = open_task(name)
    stand_in = task.stand_in
    if data is None and stand_in is not None:
        logging.getLogger("lm_eval").warning(
            "%s: no data file given, so the prompts shipped as %s are used (--metadata evalkit_data=FILE)",
            name,
            stand_in,
        )
        return open_task(stand_in)
    return task


def _read(task: BaseTask, data: str | None) -> Iterator[Sample]:
    samples = task.samples(split="test", limit=None, seed=0) if data is None else task.read(Path(data))
    for sample in samples:
        if not sample.messages or sample.turns:
            raise UsageError(f"{task.name} has several turns in a sample, which lm-eval does not support")
        yield sample


def _score(task: BaseTask, sample: Sample, completion: Completion) -> Score:
    verdict = task.score(sample, completion, Context())
    if isinstance(verdict, Score):
        return verdict

    async def wait() -> Score:
        return await verdict

    assert inspect.isawaitable(verdict)
    return asyncio.run(wait())


def _observed(metric: Metric, score: Score) -> Any:
    """Return the one number of a sample, or the list of its observations."""
    values = [one.value for one in metric.observe(score)]
    return values[0] if len(values) == 1 and metric.aggregate is None else values


def _aggregation(metric: Metric) -> Callable[[Sequence[Any]], float]:
    def aggregate(of_samples: Sequence[Any]) -> float:
        values = list(chain.from_iterable(item if isinstance(item, list) else [item] for item in of_samples))
        return float((metric.aggregate or mean)(values))

    return aggregate
