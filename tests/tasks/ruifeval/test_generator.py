"""The generator of ruIFEval prompts: same everywhere, split cleanly, worded well, and never against itself."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import combinations, islice
from pathlib import Path

import pytest
from evalkit.errors import UsageError
from evalkit.tasks.ruifeval.generator import compatibility
from evalkit.tasks.ruifeval.generator.prompts import generate, generate_samples
from evalkit.tasks.ruifeval.generator.wording import SPLITS, counted, genres, listed, load, render, themes
from evalkit.tasks.ruifeval.instructions import INSTRUCTIONS, check
from evalkit.tasks.ruifeval.lemmas import lemma, morphology
from evalkit.tasks.ruifeval.loader import read_prompts
from evalkit.tasks.ruifeval.task import OWN_PROMPTS
from hypothesis import given
from hypothesis import strategies as st

COMMAND = [sys.executable, "-m", "evalkit.tasks.ruifeval.generator.prompts"]
SEEDS = (0, 1)
MANY = 3000


@cache
def prompts(split):
    return [prompt for seed in SEEDS for prompt in generate(MANY, split=split, seed=seed)]


def instructions(prompt):
    return list(zip(prompt["instruction_id_list"], prompt["kwargs"], strict=True))


def printed(*arguments, hash_seed="0"):
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, check=True).stdout


# --- the same everywhere -----------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
def test_the_order_of_sets_and_dictionaries_does_not_matter(split):
    one, other = (printed("--split", split, "--count", "200", hash_seed=seed) for seed in ("1", "2"))
    assert one == other
    assert [json.loads(line) for line in one.splitlines()] == list(generate(200, split=split, seed=0))


def test_the_shipped_prompts_are_what_the_documented_command_prints():
    assert printed("--split", "test", "--count", "300", "--seed", "0") == OWN_PROMPTS.read_bytes()


def test_a_longer_run_begins_with_a_shorter_one_and_seeds_differ():
    assert list(generate(40, split="test", seed=3)) == list(islice(generate(500, split="test", seed=3), 40))
    one, other = ({prompt["prompt"] for prompt in generate(300, split="test", seed=seed)} for seed in (3, 4))
    assert len(one & other) < 30


def test_samples_are_what_the_loader_reads(tmp_path):
    path = tmp_path / "prompts.jsonl"
    records = list(generate(200, split="train", seed=9))
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    assert list(read_prompts(path)) == list(generate_samples(200, split="train", seed=9))


# --- what is generated -------------------------------------------------------------------------------------


def test_the_shipped_prompts():
    samples = list(read_prompts(OWN_PROMPTS))
    assert [sample.id for sample in samples] == [str(key) for key in range(1, 301)]
    assert len({sample.prompt for sample in samples}) == 300
    found = Counter(instruction["id"] for sample in samples for instruction in sample.metadata["instructions"])
    assert set(found) == set(INSTRUCTIONS)
    assert min(found.values()) >= 12


@pytest.mark.parametrize("split", SPLITS)
def test_all_types_are_asked_about_equally_often(split):
    found = Counter(id for prompt in prompts(split) for id in prompt["instruction_id_list"])
    assert set(found) == set(INSTRUCTIONS)
    assert max(found.values()) < 1.5 * min(found.values())
    sizes = Counter(len(prompt["kwargs"]) for prompt in prompts(split))
    assert set(sizes) == {1, 2, 3}
    assert sizes[1] > sizes[2] > sizes[3]


@pytest.mark.parametrize("split", SPLITS)
def test_prompts_do_not_repeat_or_contradict_themselves(split):
    for prompt in prompts(split):
        assert all(compatibility.compatible(*pair) for pair in combinations(prompt["instruction_id_list"], 2))
        assert not compatibility.contradictory(instructions(prompt))
    for seed in SEEDS:
        texts = [prompt["prompt"] for prompt in generate(MANY, split=split, seed=seed)]
        assert len(set(texts)) == len(texts)


def test_compatibility_is_mutual_and_leaves_every_type_some_company():
    for one, other in combinations(INSTRUCTIONS, 2):
        assert compatibility.compatible(one, other) == compatibility.compatible(other, one)
    for id in INSTRUCTIONS:
        assert not compatibility.compatible(id, id)
        assert sum(compatibility.compatible(id, other) for other in INSTRUCTIONS) >= 5


@given(st.sets(st.sampled_from(sorted(INSTRUCTIONS)), min_size=1), st.sampled_from(SPLITS), st.integers())
def test_any_choice_of_types_can_be_generated(types, split, seed):
    found = list(generate(8, split=split, seed=seed, types=types))
    assert [prompt["key"] for prompt in found] == list(range(1, 9))
    assert {id for prompt in found for id in prompt["instruction_id_list"]} <= types


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "dev"}, "unknown split 'dev'"),
        ({"split": "test", "types": ["punctuation:no_coma"]}, "Did you mean 'punctuation:no_comma'"),
        ({"split": "test", "types": []}, "types is empty"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(UsageError, match=message):
        generate(1, **arguments)
    with pytest.raises(UsageError, match="negative"):
        generate(-1, split="test")


# --- the splits share nothing ------------------------------------------------------------------------------


def test_no_instruction_has_the_same_parameters_in_both_splits():
    train, test = (
        {
            (id, json.dumps(kwargs, sort_keys=True))
            for prompt in prompts(split)
            for id, kwargs in instructions(prompt)
        }
        for split in SPLITS
    )
    assert {id for id, kwargs in train & test} == {
        instruction.id for instruction in INSTRUCTIONS.values() if not instruction.parameters
    }


@pytest.mark.parametrize("words", ["keywords", "forbidden"])
def test_no_word_is_asked_for_in_both_splits(words):
    train, test = ({word for theme in themes(split) for word in getattr(theme, words)} for split in SPLITS)
    assert not train & test


def test_no_request_of_one_split_occurs_in_the_other():
    train, test = (set(requests(split)) for split in SPLITS)
    assert not train & test
    for split, foreign in (("train", test), ("test", train)):
        theirs = re.compile("|".join(map(re.escape, foreign)))
        assert not any(theirs.search(prompt["prompt"]) for prompt in prompts(split))


def test_no_wording_is_in_both_splits():
    worded = load("wording.yaml")["instructions"]
    assert set(worded) == set(INSTRUCTIONS)
    for by_split in worded.values():
        train, test = ({text for variant in by_split[split].values() for text in variant} for split in SPLITS)
        assert not train & test
        assert all(len(set(texts)) >= 6 for split in SPLITS for texts in by_split[split].values())
    frames = [
        {frame for kind in load("wording.yaml")["frames"][split].values() for frame in kind} for split in SPLITS
    ]
    assert not any(re.search("[а-яё]", frame) for frame in frames[0] & frames[1])


def test_themes():
    assert sum(len(themes(split)) for split in SPLITS) >= 60
    names = [theme.name for split in SPLITS for theme in themes(split)]
    assert len(set(names)) == len(names)


# --- how they read -----------------------------------------------------------------------------------------


def requests(split, about=None):
    for formal in (False, True):
        for theme in about or themes(split):
            for request in (*theme.texts, *theme.tasks, *theme.lists, *theme.questions, *genres(split)):
                yield render(request, {"about": theme.about}, formal=formal)


def strings(node):
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from strings(child)


def templates():
    yield from strings(load("themes.yaml"))
    yield from strings([load("wording.yaml")[part] for part in ("frames", "instructions")])


@pytest.mark.parametrize("split", SPLITS)
def test_prompts_are_clean_text(split):
    for prompt in prompts(split):
        text = prompt["prompt"]
        assert text == text.strip()
        assert not re.search(r"[{}|]|  | \n|\n |\n{3}", text), text
        assert not re.search(r"(?<!\*) [,.;:!?](?!\S)|[,;:]{2}|(?<![.\d])\.\.|\.[А-ЯЁ]", text), text
        assert re.search(r"[.!?]$", text), text
        assert text[0].isupper()
        assert text.count("«") == text.count("»")
        assert text.count('"') % 2 == 0 or '(")' in text
        assert not re.search(r"\n\d\. [а-яё]", text)


def test_no_template_mixes_the_forms_of_address():
    stems = {stem for template in templates() for stem in re.findall(r"(\w+)\{\|те\}", template)}
    assert len(stems) > 50
    fixed = re.compile(rf"\b(?:{'|'.join(stems)})(?:те)?\b(?!\{{)|\b(?:ты|тебя|твой|вы|вас|ваш)\b", re.IGNORECASE)
    phrases = {
        phrase for split in SPLITS for phrase in load("parameters.yaml")[split]["startend:end_checker"]["phrases"]
    }
    for template in templates():
        outside = re.sub(r"\{[^{}|]*\|(?!те\})[^{}]*\}", "", template)
        assert not fixed.search(outside) or template in phrases, template


@pytest.mark.parametrize("split", SPLITS)
def test_a_forbidden_word_is_named_only_where_it_is_forbidden(split):
    for prompt in prompts(split):
        for id, kwargs in instructions(prompt):
            if id == "keywords:forbidden_words":
                words = kwargs["forbidden_words"]
                named = listed(words)
                assert prompt["prompt"].count(named) == 1
                assert check(id, kwargs, prompt["prompt"].replace(named, "")).followed, prompt["prompt"]


@pytest.mark.parametrize("split", SPLITS)
def test_the_text_to_repeat_is_the_first_paragraph(split):
    repeated = [
        (prompt["prompt"], kwargs["prompt_to_repeat"])
        for prompt in prompts(split)
        for id, kwargs in instructions(prompt)
        if id == "combination:repeat_prompt"
    ]
    assert repeated
    assert all(text.partition("\n\n")[0] == request for text, request in repeated)
    assert {request for _, request in repeated} <= set(requests(split))


@pytest.mark.parametrize("split", SPLITS)
def test_every_parameter_is_stated(split):
    numerals = load("wording.yaml")["numerals"]
    languages = load("wording.yaml")["languages"]
    ordinals = load("wording.yaml")["ordinals"]

    lower = (
        "не меньше|не менее|как минимум|хотя бы|по меньшей мере|или больше|или чаще|минимум|не короче|не реже|от"
    )
    upper = "не больше|больше|максимум|самое большее|меньше|менее|короче|длиннее|не чаще|до|уложи|хватит"

    def stated(name, value, kwargs):
        if name in ("relation", "let_relation", "capital_relation"):
            return [lower if value == "at least" else upper]
        if name == "nth_paragraph":
            return [f"номер {value}", *ordinals[value]]
        if isinstance(value, int):
            allowed = value - ("less than" in kwargs.values() and split == "train")
            return [rf"\b{allowed}\b", *numerals.get(allowed, ())]
        if name == "language":
            return [re.escape(form) for form in languages[value].values()]
        if name == "letter":
            return [f"«{value.upper()}»"]
        return [re.escape(listed(value) if isinstance(value, list) else value)]

    for prompt in prompts(split):
        for _, kwargs in instructions(prompt):
            for name, value in kwargs.items():
                said = "|".join(stated(name, value, kwargs))
                assert re.search(said, prompt["prompt"], re.IGNORECASE), (name, prompt)


@pytest.mark.parametrize(
    ("number", "noun", "in_words", "genitive", "accusative"),
    [
        (1, "слово", False, "1 слова", "1 слово"),
        (2, "абзац", False, "2 абзацев", "2 абзаца"),
        (2, "абзац", True, "двух абзацев", "два абзаца"),
        (5, "предложение", True, "пяти предложений", "пять предложений"),
        (11, "слово", True, "11 слов", "11 слов"),
        (21, "слово", False, "21 слова", "21 слово"),
        (22, "слово", False, "22 слов", "22 слова"),
        (101, "слово", True, "101 слова", "101 слово"),
        (112, "слово", False, "112 слов", "112 слов"),
        (3, "раз", True, "трёх раз", "три раза"),
        (5, "раз", False, "5 раз", "5 раз"),
        (4, "место", True, "четырёх мест для заполнения", "четыре места для заполнения"),
    ],
)
def test_nouns_agree_with_numbers(number, noun, in_words, genitive, accusative):
    assert counted(number, noun, in_words=in_words) == (genitive, accusative)


def test_lists_of_words():
    assert listed(["а"]) == "«а»"
    assert listed(["а", "б"]) == "«а» и «б»"
    assert listed(["а", "б", "в"]) == "«а», «б» и «в»"


@pytest.mark.parametrize("split", SPLITS)
def test_words_of_a_theme_can_be_asked_for(split):
    for theme in themes(split):
        words = (*theme.keywords, *theme.forbidden)
        assert len(set(words)) == len(words)
        assert [lemma(word) for word in words] == list(words)
        assert not any(one in other for one in theme.keywords for other in words if one != other)
        assert len(theme.keywords) >= 8
        assert len(theme.forbidden) >= 5
        assert not any("," in word or "ё" in word for word in words)


@pytest.mark.parametrize("split", SPLITS)
def test_a_keyword_is_known_in_nearly_all_its_forms(split):
    for word in (word for theme in themes(split) for word in (*theme.keywords, *theme.forbidden)):
        parsed = next(parse for parse in morphology().parse(word) if parse[2] == word)
        forms = {form[0] for form in morphology().get_lexeme(parsed)}
        misread = [form for form in forms if lemma(form) != word]
        assert len(misread) <= 0.3 * len(forms), (word, misread)


@pytest.mark.parametrize("split", SPLITS)
def test_nothing_that_prompts_say_is_ever_forbidden(split):
    parameters = [text for text in strings(load("parameters.yaml")[split]) if re.search("[а-яё]", text)]
    worded = [variants[split] for variants in load("wording.yaml")["instructions"].values()]
    said = "\n".join(strings([worded, parameters, load("wording.yaml")["frames"][split]]))
    for theme in themes(split):
        about = "\n".join(requests(split, [theme]))
        for word in theme.forbidden:
            kwargs = {"forbidden_words": [word]}
            assert check("keywords:forbidden_words", kwargs, said).followed, word
            assert check("keywords:forbidden_words", kwargs, about).followed, (theme.name, word)


def test_the_documented_command_names_the_shipped_file():
    import evalkit.tasks.ruifeval.generator.prompts as module

    assert f"--count 300 --seed 0 > data/{Path(OWN_PROMPTS).name}" in (module.__doc__ or "")
