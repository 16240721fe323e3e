"""A task of lm-eval as a task of evalkit: ``--tasks lm_eval:NAME``.

lm-eval builds the prompts and judges the answers with its own code (few-shot draws, filters, ``process_results``);
asking, storing, resuming and the intervals are evalkit's.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...tasks.base import BaseTask
from ...tasks.records import read_records
from ...tasks.types import Completion, Context, Message, Sample, Score, Status
from .find import load
from .metrics import aggregations, as_metrics, value
from .options import Options

DEFAULT_MAX_TOKENS = 256
MAX_TOKENS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
ANSWERED, ROLLING = "generate_until", "loglikelihood_rolling"


def open_lm_eval(text: str) -> LmEvalTask:
    """Open ``NAME,key=value,…`` (see `Options`): a task, group or tag of lm-eval, or the path of a YAML file.

    Raises:
        MissingExtraError: lm-eval is not installed.
        UsageError: no such task or option, or a task that cannot be asked this way.
        InputError: lm-eval cannot load it (its data cannot be downloaded, for example).
    """
    return LmEvalTask(text, Options.parse(text))


class LmEvalTask(BaseTask):
    """One task of lm-eval, or a group of them, whose metrics are then broken down by task.

    Samples are lm-eval's documents in lm-eval's order; their ids are the document's number, after the task's name
    in a group. ``parts`` of a score holds ``task``, ``metrics`` (by lm-eval's ``metric,filter``) and ``filtered``:
    what each filter made of the answer. ``tasks`` are the objects of lm-eval and ``documents`` what each of them
    evaluates on, both by name.
    """

    def __init__(self, text: str, options: Options) -> None:
        loaded = load(options)
        self._options = options
        self.tasks = {name: _configured(task, options) for name, task in loaded.tasks.items()}
        self.documents = loaded.documents
        self._aggregations = {name: aggregations(task) for name, task in self.tasks.items()}
        versions = sorted({str(task.VERSION) for task in self.tasks.values()})
        self.group = loaded.group
        self.name = f"lm_eval:{text}"
        self.version = f"{'+'.join(versions)} (lm-eval {metadata.version('lm_eval')})"
        self.title = _title(loaded.group.name if loaded.group else "+".join(self.tasks), self.tasks)
        self.metrics = as_metrics(self._aggregations, loaded.group)
        self.max_tokens = DEFAULT_MAX_TOKENS

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterator[Sample]:
        """Yield lm-eval's documents with its prompts, the first ``limit`` of each task.

        ``split`` and ``seed`` change nothing: the task names its own split, and few-shot examples are drawn with
        the option ``fewshot_seed``, whose default is lm-eval's.

        Raises:
            UsageError: a prompt cannot be put to evalkit's models (the message says why).
        """
        for name, documents in self.documents.items():
            yield from self._asked(name, documents, limit)

    def read(self, path: Path) -> Iterator[Sample]:
        """Yield samples for documents from a JSONL file in place of the task's own; few-shot examples stay.

        Raises:
            UsageError: this is a group.
            InputError: a line cannot be used.
        """
        if len(self.tasks) > 1:
            raise UsageError(f"--data: {self.name} is a group; give a file to one of its tasks")
        yield from self._asked(next(iter(self.tasks)), map(dict, read_records(path)), None)

    def score(self, sample: Sample, completion: Completion, context: Context) -> Score:
        """Judge with lm-eval's filters and ``process_results``."""
        name = sample.metadata["task"]
        task, document = self.tasks[name], sample.metadata["document"]
        responses: Sequence[Any]
        if sample.continuations:
            if len(completion.loglikelihoods) != len(sample.continuations):
                return Score(None, Status.SCORER_ERROR, explanation="expected log-likelihoods, got text")
            rolling = "rolling" in sample.sampling
            responses = [pair[0] if rolling else pair for pair in completion.loglikelihoods]
        else:
            responses = [completion.text]
        filtered = _filter(task, name, document, responses)
        found: dict[str, Any] = {}
        for filter_name, passed in filtered.items():
            results = task.process_results(document, passed)
            found |= {f"{metric},{filter_name}": _as_json(result) for metric, result in results.items()}
        return Score(
            value(found, self._aggregations[name]),
            _status(sample, completion),
            {"task": name, "metrics": found, "filtered": {} if sample.continuations else _as_json(filtered)},
        )

    def _asked(self, name: str, documents: Iterable[Any], limit: int | None) -> Iterator[Sample]:
        # A copy with a generator of its own: two walks through the samples must not share few-shot draws.
        task = copy.copy(self.tasks[name])
        if hasattr(task, "sampler"):
            task.sampler = copy.copy(task.sampler)
        task.set_fewshot_seed(self._options.fewshot_seed)
        for number, document in enumerate(documents):
            if number == limit:
                return
            id = f"{name}/{number}" if len(self.tasks) > 1 else str(number)
            yield self._sample(id, task, name, number, document)

    def _sample(self, id: str, task: Any, name: str, number: int, document: Any) -> Sample:
        options = self._options
        template = _messages_as_text if options.apply_chat_template else None
        prompt = task.fewshot_context(
            document,
            num_fewshot=task.config.num_fewshot,
            system_instruction=None,
            apply_chat_template=options.apply_chat_template,
            fewshot_as_multiturn=options.fewshot_as_multiturn,
            chat_template=template,
            gen_prefix=task.doc_to_prefix(document),
        )
        made = task.construct_requests(
            doc=document,
            ctx=prompt,
            metadata=(name, number, 1),
            apply_chat_template=options.apply_chat_template,
            chat_template=template,
        )
        requests = made if isinstance(made, list) else [made]
        kinds = {request.request_type for request in requests}
        if len(kinds) > 1 or (kinds == {ANSWERED} and len(requests) > 1):
            raise UsageError(f"{self.name}: '{name}' mixes requests for one document ({', '.join(sorted(kinds))})")
        messages = _messages(prompt, self.name) if options.apply_chat_template else ()
        target = _as_json(task.doc_to_target(document))
        described = {"task": name, "document": _as_json(document)}
        if kinds == {ANSWERED}:
            text, settings = requests[0].args[:2]
            chat = messages or (Message("user", text),)
            return Sample(id, chat, target=target, metadata=described, sampling=_sampling(settings, self.name))
        rolling = kinds == {ROLLING}
        pairs = tuple(("", *request.args) if rolling else request.args[:2] for request in requests)
        if messages:
            if rolling or any(context != prompt for context, _ in pairs):
                raise UsageError(
                    f"{self.name}: '{name}' needs more than log-likelihoods of a chat: remove apply_chat_template"
                )
            pairs = tuple(("", continuation) for _, continuation in pairs)
        return Sample(
            id,
            messages,
            target=target,
            metadata=described,
            continuations=pairs,
            sampling={"rolling": True} if rolling else {},
        )


def _configured(task: Any, options: Options) -> Any:
    """Set what lm-eval sets before it runs a task, and refuse what cannot be run here."""
    name = f"lm_eval:{options.name}"
    if getattr(task, "MULTIMODAL", False):
        raise UsageError(f"{name}: '{task.task_name}' is multimodal, which evalkit does not support")
    if getattr(task, "UNSAFE_CODE", False) and not options.confirm_run_unsafe_code:
        raise UsageError(
            f"{name}: '{task.task_name}' runs the code that models write, without a sandbox;"
            f" to allow it on this machine: {name},confirm_run_unsafe_code=true"
        )
    if task.config.repeats > 1 and options.repeats is None:
        raise UsageError(
            f"{name}: '{task.task_name}' asks for {task.config.repeats} answers to each document, which is not"
            f" supported: {name},repeats=1 asks once (--epochs N asks N times)"
        )
    if options.num_fewshot is not None and task.config.num_fewshot != 0:
        task.set_config("num_fewshot", options.num_fewshot)
    elif task.config.num_fewshot is None:
        task.set_config("num_fewshot", 0)
    return task


def _title(name: str, tasks: Mapping[str, Any]) -> str:
    shots = {task.config.num_fewshot for task in tasks.values()}
    return name if shots == {0} else f"{name}, {'/'.join(map(str, sorted(shots)))}-shot"


def _messages_as_text(messages: Sequence[Mapping[str, str]], add_generation_prompt: bool = True) -> str:
    """Stand in for a tokenizer's chat template: lm-eval wants a text, and `_messages` makes it a chat again."""
    return json.dumps(messages, ensure_ascii=False)


def _messages(text: Any, name: str) -> tuple[Message, ...]:
    try:
        messages = tuple(Message(message["role"], message["content"]) for message in json.loads(text))
    except (TypeError, ValueError):
        raise UsageError(
            f"{name}: this task has no prompt made of messages, or several: remove apply_chat_template"
        ) from None
    if messages[-1].role == "assistant":
        raise UsageError(
            f"{name}: the task prefills the assistant's answer ('{messages[-1].content}'), which chat models do not"
            " support: remove apply_chat_template"
        )
    return messages


def _sampling(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Translate lm-eval's generation arguments, by its own precedence rules."""
    known = {"until", "do_sample", "temperature", "top_p", *MAX_TOKENS}
    neutral = {"num_beams": 1}
    for key in settings.keys() - known:
        if neutral.get(key) != settings[key]:
            raise UsageError(f"{name}: its generation argument {key}={settings[key]!r} cannot be passed on")
    until = settings.get("until") or []
    temperature = float(settings.get("temperature") or 0.0)
    sampling = {
        "stop": [until] if isinstance(until, str) else list(until),
        "temperature": 0.0 if settings.get("do_sample") is False else temperature,
        "max_tokens": next((int(settings[key]) for key in MAX_TOKENS if settings.get(key)), DEFAULT_MAX_TOKENS),
    }
    if settings.get("top_p") is not None:
        sampling["top_p"] = float(settings["top_p"])
    return sampling


def _filter(task: Any, name: str, document: Any, responses: Sequence[Any]) -> dict[str, list[Any]]:
    """Return what each filter of the task makes of the responses to one document."""
    from lm_eval.api.instance import Instance

    instances = [
        Instance(task.OUTPUT_TYPE, document, (), number, (name, 0, 1), resps=[response])
        for number, response in enumerate(responses)
    ]
    for ensemble in task._filters:
        ensemble.apply(instances)
    return {
        filter_name: [instance.filtered_resps[filter_name] for instance in instances]
        for filter_name in instances[0].filtered_resps
    }


def _status(sample: Sample, completion: Completion) -> Status:
    if sample.continuations:
        return Status.OK
    if not completion.text.strip():
        return Status.EMPTY
    return Status.TRUNCATED if completion.finish_reason == "length" else Status.OK


def _as_json(found: Any) -> Any:
    """Return JSON values for what lm-eval's code returns: numpy's numbers, tuples, and anything else as text."""
    if isinstance(found, dict):
        return {str(key): _as_json(item) for key, item in found.items()}
    if isinstance(found, list | tuple | set):
        return [_as_json(item) for item in found]
    if hasattr(found, "tolist"):
        return _as_json(found.tolist())
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    return found if found is None or isinstance(found, str | int) else str(found)
