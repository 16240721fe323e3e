"""What the demo asks and rewards: instructions that a model of half a billion weights can learn to follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from evalkit.tasks.ruifeval.generator.prompts import generate_samples
from evalkit.tasks.ruifeval.task import RuIFEval
from evalkit.tasks.types import Completion, Sample

LEARNED = ("punctuation:no_comma",)
OTHERS = ("keywords:forbidden_words", "length_constraints:number_words", "startend:quotation")


@dataclass(frozen=True, slots=True)
class Chosen(RuIFEval):
    """ruIFEval prompts of some instruction types, scored by the published rules; the splits share no wording."""

    types: tuple[str, ...] = ()
    count: int = 0

    def samples(self, *, split: str, limit: int | None, seed: int) -> Iterable[Sample]:
        """Yield ``count`` generated prompts, or the first ``limit`` of them; those of the test never change."""
        if split == "train":
            return islice(generate_samples(self.count, split="train", seed=seed, types=self.types), limit)
        return islice(generate_samples(self.count, split="test", seed=0, types=self.types), limit)


no_comma = Chosen("no-comma", "ruIFEval: no commas", max_tokens=28, types=LEARNED, count=200)
others = Chosen("other-instructions", "ruIFEval: what is not trained", max_tokens=28, types=OTHERS, count=48)


def russian_letters(sample: Sample, completion: Completion) -> float:
    """Return the share of the letters that is Cyrillic: an answer without commas shall not be a foreign one."""
    letters = [letter for letter in completion.text if letter.isalpha()]
    return sum("а" <= letter.lower() <= "я" or letter in "ёЁ" for letter in letters) / max(1, len(letters))


def enough_words(sample: Sample, completion: Completion) -> float:
    """Return 1 for eight words or more, the share of eight for fewer: a single word has no commas either."""
    return min(1.0, len(completion.text.split()) / 8)
