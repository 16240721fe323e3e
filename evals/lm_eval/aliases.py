"""Translates command lines: ``evalkit run`` with the flags of ``lm_eval run``.

A command that uses none of lm-eval's own flags passes through as it is (underscores in flags become hyphens). One
that does is read as a whole by lm-eval's rules: models and tasks are lm-eval's names, and each flag is
translated, ignored with a note, or refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import UsageError
from . import FEWSHOT_SEED

SHORT = {
    "-M": "--model", "-a": "--model_args", "-t": "--tasks", "-L": "--limit", "-f": "--num_fewshot",
    "-b": "--batch_size", "-c": "--use_cache", "-s": "--log_samples", "-E": "--samples", "-C": "--config",
    "-x": "--predict_only", "-w": "--write_out", "-v": "--verbosity",
}  # fmt: skip
TRANSLATED = {
    "--model_args", "--num_fewshot", "--batch_size", "--device", "--gen_kwargs", "--output_path",
    "--apply_chat_template", "--fewshot_as_multiturn", "--include_path", "--trust_remote_code",
    "--confirm_run_unsafe_code",
}  # fmt: skip
SHARED = {"--model", "--tasks", "--limit", "--seed"}
NOT_NEEDED = {
    "--log_samples": "every answer is stored",
    "--use_cache": "every answer is stored, and the same command resumes where it stopped",
    "--cache_requests": "prompts are built when they are sent",
    "--max_batch_size": "batch sizes follow from the number of tokens",
    "--verbosity": "--debug shows what went wrong",
    "--write_out": "the report shows every prompt",
    "--show_config": "the run's manifest.json has it",
}
REFUSED = {
    "--samples": "--limit selects the first samples",
    "--config": "give its settings as flags",
    "--predict_only": "answers are always stored, and evalkit rescore scores them again",
    "--system_instruction": "",
    "--metadata": "",
    "--check_integrity": "",
    "--wandb_args": "",
    "--wandb_config_args": "",
    "--trackio_args": "",
    "--hf_hub_log_args": "",
}
LOCAL = {"hf": "hf", "huggingface": "hf", "hf-auto": "hf", "vllm": "vllm"}
SERVERS = ("local-chat-completions", "openai-chat-completions")
RENAMED_LOCAL = {"attn_implementation": "attention", "max_length": "context", "enable_thinking": "think"}
IDLE_LOCAL = ("use_fast_tokenizer", "think_end_token", "truncation", "logits_cache")
IDLE_SERVER = (
    "tokenizer", "tokenizer_backend", "tokenized_requests", "max_length", "max_retries", "truncate", "eos_string",
    "think_end_token", "batch_size", "use_fast_tokenizer", "revision", "trust_remote_code",
)  # fmt: skip
SERVER_HINTS = {
    "verify_certificate": ": certificates are always checked",
    "auth_token": ": set OPENAI_API_KEY",
    "header": ": set OPENAI_API_KEY",
}
MAX_TOKENS = ("max_gen_toks", "max_new_tokens", "max_tokens")


@dataclass(frozen=True, slots=True)
class Translation:
    """A command line of evalkit, and notes for the user."""

    arguments: list[str]
    notes: list[str]


class _Option(NamedTuple):
    flag: str
    values: list[str]


def translate(arguments: Sequence[str], own_tasks: Callable[[], Collection[str]]) -> Translation:
    """Translate the arguments of ``evalkit run``.

    Args:
        arguments: what follows ``run``.
        own_tasks: gives the names of evalkit's tasks; any other name in an lm-eval command is lm-eval's.

    Raises:
        UsageError: a flag or a value of lm-eval that has no counterpart here (it is named).
    """
    options = list(_options(arguments))
    flags = {option.flag for option in options}
    short = {word.partition("=")[0] for word in arguments} & SHORT.keys()
    if not short and not flags & (TRANSLATED | NOT_NEEDED.keys() | REFUSED.keys()):
        return Translation([word for option in options for word in (_hyphens(option.flag), *option.values)], [])
    for flag in sorted(flags & REFUSED.keys()):
        raise UsageError(
            f"{flag} of lm-eval has no counterpart here" + (f": {hint}" if (hint := REFUSED[flag]) else "")
        )
    given = {
        flag: [value for option in options if option.flag == flag for value in option.values] for flag in flags
    }
    chat = bool(_truth(given, "--apply_chat_template"))
    tasks, without_shots = _tasks(given, own_tasks(), chat)
    model, settings = _model(given, chat)
    settings |= _generation(_pairs("--gen_kwargs", given.get("--gen_kwargs", [])))
    settings |= _common(given)
    kept = [
        word
        for option in options
        if option.flag not in TRANSLATED | SHARED | NOT_NEEDED.keys()
        for word in (_hyphens(option.flag), *option.values)
    ]
    notes = [f"{flag} is not needed: {NOT_NEEDED[flag]}" for flag in sorted(flags & NOT_NEEDED.keys())]
    if without_shots:
        notes.append(f"--num_fewshot is ignored for {', '.join(without_shots)}: no few-shot examples available")
    if "chat_template=plain" in model:
        notes.append("without --apply_chat_template prompts are bare text, as lm-eval sends them")
    named = [word for flag, value in settings.items() for word in (flag, value)]
    return Translation([*(["--model", model] if model else []), *tasks, *named, *kept], notes)


def _options(arguments: Sequence[str]) -> Iterator[_Option]:
    current: _Option | None = None
    for word in arguments:
        if re.match(r"--?[A-Za-z]", word):
            if current is not None:
                yield current
            flag, equals, value = word.partition("=")
            flag = SHORT.get(flag, flag)
            underscored = "--" + flag[2:].replace("-", "_") if flag.startswith("--") else flag
            known = underscored in TRANSLATED | SHARED | NOT_NEEDED.keys() | REFUSED.keys()
            current = _Option(underscored if known else flag, [value] if equals else [])
        elif current is None:
            yield _Option(word, [])
        else:
            current.values.append(word)
    if current is not None:
        yield current


def _hyphens(flag: str) -> str:
    return "--" + flag[2:].replace("_", "-") if flag.startswith("--") else flag


def _last(given: Mapping[str, list[str]], flag: str) -> str | None:
    values = given.get(flag)
    if values is None:
        return None
    if not values:
        raise UsageError(f"{flag} needs a value")
    return values[-1]


def _truth(given: Mapping[str, list[str]], flag: str) -> bool | None:
    """Return whether a flag that may stand alone is set; ``None`` when it is not given."""
    if flag not in given:
        return None
    word = (given[flag] or ["true"])[-1].lower()
    if word not in ("true", "1", "yes", "false", "0", "no"):
        raise UsageError(f"{flag} {given[flag][-1]}: expected true or false")
    return word in ("true", "1", "yes")


def _tasks(given: Mapping[str, list[str]], own_tasks: Collection[str], chat: bool) -> tuple[list[str], list[str]]:
    """Return ``--tasks`` with its value, and the tasks among them that ``--num_fewshot`` passes over."""
    options = {
        "num_fewshot": _last(given, "--num_fewshot"),
        "apply_chat_template": "true" if chat else None,
        "fewshot_as_multiturn": "false" if _truth(given, "--fewshot_as_multiturn") is False else None,
        "fewshot_seed": _seeds(given)[1],
        "include_path": _last(given, "--include_path"),
        "confirm_run_unsafe_code": "true" if "--confirm_run_unsafe_code" in given else None,
    }
    text = "".join(f",{key}={value}" for key, value in options.items() if value is not None)
    own = {"evalkit_" + re.sub(r"\W", "_", name): name for name in own_tasks} | {name: name for name in own_tasks}
    names = [name for value in given.get("--tasks", []) for name in value.split(",") if name]
    translated = []
    for name in names:
        if name.startswith("lm_eval:"):
            translated.append(name + text)
        elif name in own or ":" in name:
            translated.append(own.get(name, name))
        elif any(letter in name for letter in "*?["):
            raise UsageError(f"--tasks {name}: patterns are not expanded here; name a task or a group")
        else:
            translated.append(f"lm_eval:{name}{text}")
    passed_over = [name for name in translated if not name.startswith("lm_eval:") and options["num_fewshot"]]
    return ["--tasks", ",".join(translated)] if translated else [], passed_over


def _model(given: Mapping[str, list[str]], chat: bool) -> tuple[str, dict[str, str]]:
    """Return the model string, and the options of a command that lm-eval counts among the model's arguments."""
    arguments = _pairs("--model_args", given.get("--model_args", []))
    name = _last(given, "--model") or ("hf" if arguments else "")
    if name in SERVERS:
        return _server(name, arguments)
    options = {
        "batch_size": None if (size := _last(given, "--batch_size") or "").startswith("auto") else size,
        "device": _last(given, "--device"),
        "trust_remote_code": "true" if "--trust_remote_code" in given else None,
    }
    arguments |= {key: value for key, value in options.items() if value}
    if name not in LOCAL:
        if name and ":" not in name and name != "embedded":
            raise UsageError(
                f"--model {name} of lm-eval has no counterpart here: hf, vllm, local-chat-completions and"
                " openai-chat-completions have (evalkit models lists ours)"
            )
        return _with_options(name, arguments), {}
    weights = arguments.pop("pretrained", None)
    if weights is None:
        raise UsageError(f"--model {name}: --model_args needs pretrained=…")
    if file := arguments.pop("gguf_file", None):
        weights = str(Path(weights) / file)
    if adapter := arguments.pop("peft", None):
        weights += f"+lora:{adapter}"
    renamed = {RENAMED_LOCAL.get(key, key): value for key, value in arguments.items() if key not in IDLE_LOCAL}
    if "dtype" in renamed:
        renamed["dtype"] = renamed["dtype"].removeprefix("torch.")
    # lm-eval cuts the beginning of a prompt that is too long.
    renamed |= {"truncate_prompt": "true"} | ({} if chat else {"chat_template": "plain"})
    return _with_options(f"{LOCAL[name]}:{weights}", renamed), {}


def _server(name: str, arguments: dict[str, str]) -> tuple[str, dict[str, str]]:
    model = arguments.pop("model", None) or arguments.pop("pretrained", None)
    if model is None:
        raise UsageError(f"--model {name}: --model_args needs model=…")
    settings = {}
    renamed = {"num_concurrent": "--concurrency", "timeout": "--timeout", "max_gen_toks": "--max-tokens"}
    for key, value in arguments.items():
        if key == "base_url":
            settings["--base-url"] = re.sub(r"/(chat/)?completions/?$", "", value)
        elif key in renamed:
            settings[renamed[key]] = value
        elif key == "verify_certificate" and value.lower() == "true":
            continue
        elif key not in IDLE_SERVER:
            raise UsageError(
                f"--model_args {key}={value} of lm-eval has no counterpart here{SERVER_HINTS.get(key, '')}"
            )
    return f"openai:{model}", settings


def _with_options(model: str, options: Mapping[str, str]) -> str:
    return model + "".join(f",{key}={value}" for key, value in options.items())


def _generation(arguments: dict[str, str]) -> dict[str, str]:
    settings = {}
    sampled = arguments.pop("do_sample", "true").lower() != "false"
    for key, value in arguments.items():
        if key == "temperature":
            settings["--temperature"] = value if sampled else "0"
        elif key == "top_p":
            settings["--top-p"] = value
        elif key in MAX_TOKENS:
            settings["--max-tokens"] = value
        else:
            raise UsageError(f"--gen_kwargs {key}={value} of lm-eval has no counterpart here")
    return settings


def _common(given: Mapping[str, list[str]]) -> dict[str, str]:
    settings = {}
    if (limit := _last(given, "--limit")) is not None:
        try:
            number = float(limit)
        except ValueError:
            raise UsageError(f"--limit {limit}: a number is needed") from None
        if number < 1 or number != int(number):
            raise UsageError(f"--limit {limit}: fractions are not supported; give a whole number")
        settings["--limit"] = str(int(number))
    if (seed := _seeds(given)[0]) is not None:
        settings["--seed"] = seed
    if (output := _last(given, "--output_path")) is not None:
        settings["--output"] = output.removesuffix(".json")
    return settings


def _seeds(given: Mapping[str, list[str]]) -> tuple[str | None, str | None]:
    """Return the seed of everything, and that of few-shot examples where it is not lm-eval's default."""
    text = _last(given, "--seed")
    if text is None:
        return None, None
    seeds = text.split(",")
    for seed in seeds:
        if not seed.isdecimal():
            raise UsageError(f"--seed {text}: '{seed}' is not a whole number")
    fewshot = seeds[3] if len(seeds) > 3 else seeds[0] if len(seeds) == 1 else str(FEWSHOT_SEED)
    return seeds[0], None if int(fewshot) == FEWSHOT_SEED else fewshot


def _pairs(flag: str, values: Sequence[str]) -> dict[str, str]:
    """Read ``key=value,key=value``, several such words, or a JSON object."""
    pairs: dict[str, str] = {}
    for value in values:
        if value.startswith("{"):
            pairs |= {key: _as_text(item) for key, item in _object(flag, value).items()}
            continue
        for pair in filter(None, re.split(r",(?![^\[({]*[\])}])", value)):
            key, equals, text = pair.partition("=")
            if not equals:
                raise UsageError(f"{flag}: '{pair}' is not key=value")
            pairs[key.strip()] = text.strip("\"'")
    return pairs


def _object(flag: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{flag}: this is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{flag}: a JSON object is needed")
    return found


def _as_text(item: Any) -> str:
    return item if isinstance(item, str) else json.dumps(item)
