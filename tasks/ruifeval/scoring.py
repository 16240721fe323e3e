"""From an answer to a score: every instruction strictly and loosely, in the prompt's own order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..text.echo import repeats
from ..text.nouns import Noun
from ..types import Completion, Metric, Observation, Sample, Score, Status, answer_status
from .fixes import Fix, Fixes
from .instructions import check
from .text import Text

_FOLLOWED = Noun("инструкция выполнена", "инструкции выполнены", "инструкций выполнено")


def score_answer(sample: Sample, completion: Completion, fixes: Fixes) -> Score:
    """Check an answer against a prompt's instructions (``{"id", "kwargs"}`` each).

    The strict check uses the answer unchanged; the loose one accepts any of its eight variants (`Text.variants`),
    for each instruction separately. The value is the share of instructions strictly followed; a
    prompt without instructions (all excluded as defective) has none. An answer that only repeats the whole prompt
    (under `Fix.REPEATED_PROMPT` also sentences of it) follows nothing, as an empty one does, and is ``malformed``.
    """
    instructions: Sequence[Mapping[str, Any]] = sample.metadata["instructions"]
    if not instructions:
        return Score(None, Status.MISSING, {}, "запрос исключён: в нём нечего проверять")
    repeated = repeats(sample.prompt, completion.text, whole=Fix.REPEATED_PROMPT not in fixes)
    text = Text("" if repeated else completion.text)
    results = [_both(instruction, text, fixes) for instruction in instructions]
    strict = [result["strict"] for result in results]
    return Score(
        sum(strict) / len(strict),
        answer_status(completion, Status.MALFORMED if repeated else Status.OK),
        {
            "prompt_strict": all(strict),
            "prompt_loose": all(result["loose"] for result in results),
            "instructions": results,
        },
        "повторён запрос" if repeated else f"{_FOLLOWED.count(sum(strict))} из {len(strict)}",
    )


def _both(instruction: Mapping[str, Any], text: Text, fixes: Fixes) -> dict[str, Any]:
    id, kwargs = instruction["id"], instruction["kwargs"]
    strict = check(id, kwargs, text, fixes)
    loose, reason = strict.followed, strict.reason
    if not strict.followed:
        for variant in text.variants:
            result = check(id, kwargs, variant, fixes)
            if result.followed:
                loose, reason = True, f"{strict.reason}; нестрого: {result.reason}"
                break
    return {"id": id, "strict": strict.followed, "loose": loose, "reason": reason}


def _prompt(part: str, score: Score) -> Iterable[Observation]:
    if part in score.parts:
        yield Observation(float(score.parts[part]))


def _instructions(part: str, score: Score) -> Iterable[Observation]:
    for result in score.parts.get("instructions", ()):
        labels = {"instruction": result["id"], "group": result["id"].partition(":")[0]}
        yield Observation(float(result[part]), labels)


METRICS = (
    Metric("prompt_strict", lambda score: _prompt("prompt_strict", score), "Prompts, strict"),
    Metric("prompt_loose", lambda score: _prompt("prompt_loose", score), "Prompts, loose"),
    Metric("instruction_strict", lambda score: _instructions("strict", score), "Instructions, strict"),
    Metric("instruction_loose", lambda score: _instructions("loose", score), "Instructions, loose"),
)
