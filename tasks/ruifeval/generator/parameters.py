"""Drawing the parameters of an instruction, and the words that name them in a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...random import Dice
from ..result import AT_LEAST, LESS_THAN
from ..rules.detectable_format import OPTIONS
from .wording import Split, counted, listed, load

# The parameter that holds the count, the one that holds the relation, and the noun counted.
_COUNTS: Mapping[str, tuple[str, str | None, str]] = {
    "change_case:capital_word_frequency": ("capital_frequency", "capital_relation", "слово"),
    "detectable_content:number_placeholders": ("num_placeholders", None, "место"),
    "detectable_format:multiple_sections": ("num_sections", None, "раздел"),
    "detectable_format:number_bullet_lists": ("num_bullets", None, "пункт"),
    "detectable_format:number_highlighted_sections": ("num_highlights", None, "фрагмент"),
    "keywords:frequency": ("frequency", "relation", "раз"),
    "keywords:letter_frequency": ("let_frequency", "let_relation", "раз"),
    "length_constraints:nth_paragraph_first_word": ("num_paragraphs", None, "абзац"),
    "length_constraints:number_paragraphs": ("num_paragraphs", None, "абзац"),
    "length_constraints:number_sentences": ("num_sentences", "relation", "предложение"),
    "length_constraints:number_words": ("num_words", "relation", "слово"),
}

# An upper bound is often kept without trying, so lower bounds are asked for more often.
_RELATIONS = (AT_LEAST, AT_LEAST, LESS_THAN)


@dataclass(slots=True)
class Supply:
    """The request and the words available to one prompt; drawn words are removed."""

    request: str
    keywords: list[str]
    forbidden: list[str]


@dataclass(frozen=True, slots=True)
class DrawnInstruction:
    """An instruction with its parameters, the variant of its wording, and the values that fill it in."""

    id: str
    kwargs: dict[str, Any]
    variant: str
    values: dict[str, str]


def draw(instruction_id: str, split: Split, supply: Supply, dice: Dice) -> DrawnInstruction:
    """Draw parameters for one instruction from the domain of the split."""
    domain: Mapping[str, Any] = load("parameters.yaml")[split].get(instruction_id, {})
    drawn = _draw_count(instruction_id, domain, dice)
    kwargs, values = drawn.kwargs, drawn.values
    variant = drawn.variant

    match instruction_id:
        case "combination:repeat_prompt":
            kwargs["prompt_to_repeat"] = supply.request
        case "detectable_content:postscript":
            kwargs["postscript_marker"] = values["marker"] = dice.pick(domain["markers"])
        case "detectable_format:constrained_response":
            values["options"] = " или ".join(", ".join(f"«{option}»" for option in OPTIONS).rsplit(", ", 1))
        case "detectable_format:multiple_sections":
            kwargs["section_spliter"] = values["splitter"] = dice.pick(domain["splitters"])
        case "keywords:existence":
            kwargs["keywords"] = [supply.keywords.pop() for _ in range(dice.pick(domain["sizes"]))]
            values["words"] = listed(kwargs["keywords"])
        case "keywords:forbidden_words":
            kwargs["forbidden_words"] = [supply.forbidden.pop() for _ in range(dice.pick(domain["sizes"]))]
            values["words"] = listed(kwargs["forbidden_words"])
            variant = "many" if kwargs["forbidden_words"][1:] else "one"
        case "keywords:frequency":
            kwargs["keyword"] = values["word"] = supply.keywords.pop()
        case "keywords:letter_frequency":
            kwargs["letter"] = dice.pick(domain["letters"][variant])
            values["letter"] = kwargs["letter"].upper()
        case "language:response_language":
            kwargs["language"] = dice.pick(domain["languages"])
            values.update(load("wording.yaml")["languages"][kwargs["language"]])
        case "length_constraints:nth_paragraph_first_word":
            position = 1 + dice.below(kwargs["num_paragraphs"])
            kwargs["nth_paragraph"] = position
            kwargs["first_word"] = values["word"] = dice.pick(domain["words"])
            values["position"] = str(position)
            values["ordinal"], values["ordinal_genitive"] = load("wording.yaml")["ordinals"][position]
        case "startend:end_checker":
            kwargs["end_phrase"] = values["phrase"] = dice.pick(domain["phrases"])
    return DrawnInstruction(instruction_id, kwargs, variant, values)


def _draw_count(instruction_id: str, domain: Mapping[str, Any], dice: Dice) -> DrawnInstruction:
    if instruction_id not in _COUNTS:
        return DrawnInstruction(instruction_id, {}, "always", {})
    count_name, relation_name, noun = _COUNTS[instruction_id]
    variant = dice.pick(_RELATIONS) if relation_name else "always"
    number: int = dice.pick(domain[variant if relation_name else "counts"])
    kwargs: dict[str, Any] = {count_name: number}
    if relation_name:
        kwargs[relation_name] = variant
    noun = domain.get("noun", noun)
    in_words = dice.below(2) == 1
    genitive, accusative = counted(number, noun, in_words=in_words)
    most_genitive, most_accusative = counted(number - 1, noun, in_words=in_words)
    values = {
        "number": str(number),
        "genitive": genitive,
        "accusative": accusative,
        "most_number": str(number - 1),
        "most_genitive": most_genitive,
        "most_accusative": most_accusative,
    }
    return DrawnInstruction(instruction_id, kwargs, variant, values)
