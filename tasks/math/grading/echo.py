"""Whether an answer is only a piece of its problem: the question given back earns nothing."""

from __future__ import annotations

import re

from ...text.echo import repeats
from .extracting.formulas import find_formulas
from .reading.answers import read
from .verdict import TooLarge, Unreadable

_DRESS = re.compile(r"\\(?:left|right|displaystyle|boxed|d(?=frac)|t(?=frac)|[,;:! ])|[\s${}.]")
_LEAD = re.compile(r"\A\s*(?:(?:\*\*)?(?:ответ|answer)(?:\*\*)?:|\$*\\boxed)", re.IGNORECASE)
_PERIOD = re.compile(r"\d\(\d+\)")
_WORDS = 6
_OPERATIONS = ("+", "^", "call", "relation", "big", "all", "any", "conditions", "pm", "in")


def given_back(problem: str, text: str, extracted: str, gold: str) -> bool:
    """Say whether a model's answer repeats its problem or one of its formulas.

    A number, a fraction or an interval that the problem names may be its answer; what has to be worked out, solved
    or written in another way may not, unless the gold answer (``gold``) is written so. ``text`` is the whole answer
    and ``extracted`` the final one.
    """
    said = " ".join(_LEAD.sub("", text).strip(" {}$\n").split())
    if repeats(problem, text) or (len(said.split()) >= _WORDS and said in " ".join(problem.split())):
        return True
    bare = _bare(extracted)
    if bare == _bare(gold) or not any(bare == _bare(formula.content) for formula in find_formulas(problem)):
        return False
    if _PERIOD.search(bare) and not _PERIOD.search(gold):
        return True
    try:
        return read(extracted).has(*_OPERATIONS) and not read(gold).has("relation", "all", "any", "conditions")
    except (Unreadable, TooLarge):
        return True


def _bare(formula: str) -> str:
    return _DRESS.sub("", formula)
