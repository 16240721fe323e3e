"""From an answer to a score: every instruction strictly and loosely, in the prompt's own order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..text.nouns import Noun
from ..types import Completion, Metric, Observation, Score, Status, answer_status
from .fixes import Fixes
from .instructions import check
from .text import Text

_FOLLOWED = Noun("инструкция выполнена", "инструкции выполнены", "инструкций выполнено")


def score_answer(instructions: Sequence[Mapping[str, Any]], completion: Completion, fixes: Fixes) -> Score:
    """Judge an answer by a prompt's instructions (``{"id", "kwargs"}`` each).

    Strictly, an instruction is followed by the answer as it stands; loosely, by any of its eight readings
    (`Text.variants`), each instruction by itself. The value is the share of instructions strictly followed; a
    prompt without instructions (all excluded as defective) has none.
    """
    if not instructions:
        return Score(None, Status.MISSING, {}, "запрос исключён: в нём нечего проверять")
    text = Text(completion.text)
    verdicts = [_both(instruction, text, fixes) for instruction in instructions]
    strict = [verdict["strict"] for verdict in verdicts]
    return Score(
        sum(strict) / len(strict),
        answer_status(completion, Status.OK),
        {
            "prompt_strict": all(strict),
            "prompt_loose": all(verdict["loose"] for verdict in verdicts),
            "instructions": verdicts,
        },
        f"{_FOLLOWED.count(sum(strict))} из {len(strict)}",
    )


def _both(instruction: Mapping[str, Any], text: Text, fixes: Fixes) -> dict[str, Any]:
    id, kwargs = instruction["id"], instruction["kwargs"]
    strict = check(id, kwargs, text, fixes)
    loose, reason = strict.followed, strict.reason
    if not strict.followed:
        for variant in text.variants:
            verdict = check(id, kwargs, variant, fixes)
            if verdict.followed:
                loose, reason = True, f"{strict.reason}; нестрого: {verdict.reason}"
                break
    return {"id": id, "strict": strict.followed, "loose": loose, "reason": reason}


def _prompt(part: str, score: Score) -> Iterable[Observation]:
    if part in score.parts:
        yield Observation(float(score.parts[part]))


def _instructions(part: str, score: Score) -> Iterable[Observation]:
    for verdict in score.parts.get("instructions", ()):
        labels = {"instruction": verdict["id"], "group": verdict["id"].partition(":")[0]}
        yield Observation(float(verdict[part]), labels)


METRICS = (
    Metric("prompt_strict", lambda score: _prompt("prompt_strict", score), "Prompts, strict"),
    Metric("prompt_loose", lambda score: _prompt("prompt_loose", score), "Prompts, loose"),
    Metric("instruction_strict", lambda score: _instructions("strict", score), "Instructions, strict"),
    Metric("instruction_loose", lambda score: _instructions("loose", score), "Instructions, loose"),
)
