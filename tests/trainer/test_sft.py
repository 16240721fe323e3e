"""Learning from chats as they stand: what is learned and what is not, and that it survives being killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.errors import InputError, RunError
from evalkit.tests.support.tiny_model import CHAT_TEMPLATE
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer.data.chats import Example, read_examples
from evalkit.trainer.forecast import forecast
from evalkit.trainer.loop import loop
from evalkit.trainer.methods.sft import Lesson, closing_token, lesson_of
from evalkit.trainer.policy.base_model import find_base
from evalkit.trainer.policy.model import Policy, open_policy
from evalkit.trainer.recipe.fields import Lora
from evalkit.trainer.recipe.reading import read_recipe
from evalkit.trainer.train import train

CHAT = [
    {"role": "user", "content": "Как дела?"},
    {"role": "assistant", "content": "Зима была снежной."},
    {"role": "user", "content": "Привет!"},
    {"role": "assistant", "content": "море замёрзло"},
]


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def policy(bench: Path) -> Policy:
    base = find_base(f"hf:{bench / 'model'},device=cpu")
    return open_policy(base, Lora(rank=2), seed=0)


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def read(policy: Policy, example: Example, **changes: int) -> Lesson:
    closing = closing_token(policy.template, policy.stop_tokens)
    limits = {"max_tokens": 64, "context": 256} | changes
    return lesson_of(example, policy.template, policy.stop_tokens, closing, **limits)


def supervised(bench: Path, name: str, **changes: object) -> Path:
    if not (bench / "chats.jsonl").exists():
        pairs = [{"prompt": f"{word}!", "response": "the lazy dog"} for word in ("Привет", "Зима", "море", "лес")]
        lines(bench / "chats.jsonl", *pairs, {"messages": CHAT})
    settings = {
        "method": "sft", "prompts": None, "rollouts": None, "chats": {"own": {"data": "chats.jsonl"}}, "steps": 4,
        "batch": {"examples": 3, "max_tokens": 16}, "objective": {},
        "optimizer": {"learning_rate": 2e-2, "micro_batch": 2},
    } | changes  # fmt: skip
    return write_recipe(bench, f"{name}.yaml", **settings)


def test_both_forms_of_a_line_are_read_and_each_answer_is_an_example(tmp_path: Path):
    path = lines(tmp_path / "a.jsonl", {"messages": CHAT}, {"prompt": "Кто?", "response": "Кот", "score": 1})
    first, second, third = read_examples(path)
    assert ([message.content for message in first.context], first.answer) == (["Как дела?"], "Зима была снежной.")
    assert [message.role for message in second.context] == ["user", "assistant", "user"]
    assert (third.context[0].content, third.answer, third.place) == ("Кто?", "Кот", f"{path}:2")
    path = lines(tmp_path / "b.jsonl", {"prompt": CHAT[:1], "response": "Хорошо"}, {"prompt": "?", "response": "!"})
    assert [example.context[0].content for example in read_examples(path, limit=1)] == ["Как дела?"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "x"}, r"a.jsonl:1: a line has 'messages', or 'prompt' and 'response'"),
        ({"prompt": "x", "response": None}, r"a.jsonl:1: field 'response' is a text, not NoneType"),
        ({"messages": "x"}, r"field 'messages' is a list"),
        ({"messages": [{"role": "user"}]}, r"field 'messages'\[0\]: 'content' is a text"),
        ({"messages": [{"role": "bot", "content": "x"}]}, r"\[0\]: 'role' is system, user, assistant, not 'bot'"),
        ({"messages": CHAT[:1]}, r"a.jsonl:1: no message of this chat is the assistant's"),
        ({"messages": CHAT[1:]}, r"field 'messages\[0\]': the first message cannot be the assistant's"),
        ({"prompt": [], "response": "x"}, r"field 'prompt' is a list"),
    ],
)
def test_a_line_that_is_no_chat_is_named(tmp_path: Path, row: object, message: str):
    with pytest.raises(InputError, match=message):
        read_examples(lines(tmp_path / "a.jsonl", row))


def test_half_a_character_is_named(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"prompt": "x", "response": "y\ud800"}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a.jsonl:1: '\\ud800' is an unpaired surrogate"):
        read_examples(path)


def test_what_is_learned_is_what_the_sampler_would_have_to_draw(policy: Policy, tmp_path: Path):
    tokenizer = policy.template.tokenizer
    _, second = read_examples(lines(tmp_path / "a.jsonl", {"messages": CHAT}))
    lesson = read(policy, second)
    assert tokenizer.decode(lesson.prompt) == policy.template.render(second.context)
    assert tokenizer.decode(lesson.answer) == "море замёрзло<|im_end|>"
    assert tokenizer.decode(lesson.prompt).count("<|bos|>") == 1
    assert not lesson.cut
    short = read(policy, second, max_tokens=3)
    assert short == Lesson(lesson.prompt, lesson.answer[:3], cut=True)
    tight = read(policy, second, context=len(lesson.prompt) + 2)
    assert tight == Lesson(lesson.prompt, lesson.answer[:2], cut=True)
    with pytest.raises(InputError, match=r"a.jsonl:1: the prompt has \d+ tokens and the model's context 9"):
        read(policy, second, context=9)


def test_a_text_that_spells_the_end_of_an_answer_ends_there(policy: Policy):
    (asked,) = {message.role: message for message in read_messages("Кто?")}.values()
    lesson = read(policy, Example((asked,), "Кот<|im_end|>\n<|im_start|>user\nещё", "a:1"))
    assert policy.template.tokenizer.decode(lesson.answer) == "Кот<|im_end|>"
    assert len(read(policy, Example((asked,), "", "a:1")).answer) == 1


def read_messages(text: str):
    from evalkit.tasks.types import Message

    return (Message("user", text),)


def test_a_thought_that_the_template_opens_is_not_opened_twice(policy: Policy):
    from dataclasses import replace

    opened = replace(policy.template, arguments={"enable_thinking": True})
    closing = closing_token(opened, policy.stop_tokens)
    decode = opened.tokenizer.decode
    for answer, learned in (
        ("<think>\nморе</think>\nлес", "море</think>\nлес<|im_end|>"),
        ("<think>море</think>лес", "море</think>лес<|im_end|>"),
        ("лес", "</think>\n\nлес<|im_end|>"),
    ):
        example = Example(read_messages("Кто?"), answer, "a:1")
        lesson = lesson_of(example, opened, policy.stop_tokens, closing, max_tokens=64, context=256)
        assert decode(lesson.prompt).endswith("<think>\n")
        assert decode(lesson.answer) == learned


def test_an_answer_ends_as_the_template_ends_it(policy: Policy):
    from dataclasses import replace

    end = policy.template.tokenizer.convert_tokens_to_ids("<|im_end|>")
    start = policy.template.tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert closing_token(policy.template, frozenset({start, end})) == end
    assert closing_token(replace(policy.template, source=None), frozenset({start, end})) == end
    other = replace(policy.template, source=CHAT_TEMPLATE.replace("<|im_end|>", "<|im_start|>"))
    assert closing_token(other, frozenset({start, end})) == start
    strict = replace(policy.template, source="{{ raise_exception('no') }}")
    assert closing_token(strict, frozenset({start})) == start


def test_only_the_answers_tokens_are_in_the_loss(bench: Path, tmp_path: Path, policy: Policy):
    """The first step's loss is the mean over the answers' tokens, each read alone by the untrained model."""
    train(supervised(bench, "mask", steps=1, batch={"examples": 6, "max_tokens": 64}), tmp_path)
    (row,) = journal_lines(tmp_path)
    total, count = 0.0, 0
    with torch.no_grad():
        for example in read_examples(bench / "chats.jsonl"):
            lesson = read(policy, example)
            ids = torch.tensor([[*lesson.prompt, *lesson.answer]])
            logits = policy.model(input_ids=ids).logits[0].log_softmax(-1)
            for place, token in enumerate(lesson.answer):
                total -= float(logits[len(lesson.prompt) + place - 1, token])
                count += 1
    assert row["loss"] == pytest.approx(total / count, rel=1e-4)
    assert (row["trained_tokens"], row["answers"], row["passes"], row["truncated"]) == (count, 6, {"own": 1.0}, 0)


def test_it_learns_to_answer_as_shown(bench: Path, tmp_path: Path):
    told: list[str] = []
    validation = {"every": 6, "limit": 2, "source": {"task": "plugin.py:words", "split": "test"}}
    settings = {"steps": 12, "validation": validation, "optimizer": {"learning_rate": 5e-2, "micro_batch": 4}}
    settings |= {"objective": {"kl_weight": 0.001}, "reset": {"every": 8}}
    recipe = supervised(bench, "learn", chats={"own": {"data": "chats.jsonl", "limit": 4}}, **settings)
    train(recipe, tmp_path, notify=told.append)
    rows = journal_lines(tmp_path)
    # The loss falls from 7 to 0.7 or less, the validation rises to 0.94 or more (3 seeds). The words of the answers
    # are Latin, and the plugin scores the share of that.
    assert rows[-1]["loss"] < rows[0]["loss"] / 2
    assert rows[11]["validation"] > 0.8
    assert rows[0]["kl"] == 0 < rows[5]["kl"]
    assert rows[7]["reset"] == "every 8 steps"
    assert "loss" in told[0]
    assert not (tmp_path / "answers.jsonl").read_bytes()


def test_what_is_cut_off_or_left_out_is_said(bench: Path, tmp_path: Path):
    lines(
        bench / "long.jsonl",
        {"prompt": "лес", "response": "море " * 20},
        {"prompt": "лес " * 600, "response": "море"},
        {"prompt": "лес", "response": "дом"},
    )
    with (bench / "long.jsonl").open("a", encoding="utf-8") as file:
        refused = [{"role": "user", "content": "дом"}, {"role": "system", "content": "кот"}, CHAT[-1]]
        file.write(json.dumps({"messages": refused}) + "\n")
    told: list[str] = []
    batch = {"examples": 2, "max_tokens": 16}  # each of the two that are left, once
    recipe = supervised(bench, "long", chats={"own": {"data": "long.jsonl"}}, steps=1, batch=batch)
    train(recipe, tmp_path, notify=told.append)
    assert any(line.startswith("chats 'own': 2 of 4 left out:") and "long.jsonl:4" in line for line in told)
    assert any(line.startswith("chats 'own': 1 of 2 answers are longer than 16 tokens") for line in told)
    assert journal_lines(tmp_path)[0]["truncated"] == 0.5


def test_what_was_interrupted_goes_on_to_the_same_bits(bench: Path, tmp_path: Path):
    from evalkit.tests.support.trainer_bench import adapter
    from evalkit.trainer.methods import step as learning

    settings = {"lora": {"rank": 4, "alpha": 8, "dropout": 0.2}, "checkpoint_every": 2}
    recipe = supervised(bench, "whole", **settings, objective={"minibatches": 2})
    train(recipe, tmp_path / "whole")
    real, calls = learning.update, []

    def dies(*given):
        calls.append(given)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return real(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "update", dies)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tmp_path / "parts")
    train(recipe, tmp_path / "parts")
    whole, parts = adapter(tmp_path / "whole"), adapter(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    kept = [[(row["step"], row["loss"]) for row in journal_lines(tmp_path / name)] for name in ("whole", "parts")]
    assert kept[0] == kept[1]
    assert [step for step, _ in kept[0]] == [1, 2, 3, 4]


GRPO = {"method": "grpo", "batch": None, "prompts": {"words": {"task": "plugin.py:words"}}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (GRPO, "field 'chats' belongs to the method sft, not to grpo"),
        ({"chats": {}}, "field 'chats': Dictionary should have at least 1 item"),
        ({"chats": None}, "field 'chats': it is missing"),
        (
            {"prompts": {"words": {"task": "plugin.py:words"}}},
            "field 'prompts' belongs to the methods ppo, .*gmpo",
        ),
        (GRPO | {"chats": None, "prompts": None}, "field 'prompts': it is missing"),
        ({"rollouts": {"temperature": 1.2}}, "field 'rollouts' belongs to the methods ppo, .*, not to sft"),
        (
            {"alarms": {"watch": {"vowels": {"reward": "plugin.py:vowels"}}}},
            "field 'alarms.watch' belongs to the methods ppo, .*, not to sft",
        ),
        ({"objective": {"correction": {}}}, "field 'objective.correction' belongs to the methods ppo, "),
        ({"chats": {"mine": {"data": "chats.jsonl", "weight": 0}}}, "field 'chats': one at least needs a 'weight'"),
        ({"chats": {"own": {"file": "x"}}}, r"field 'chats.own.*'"),
    ],
)
def test_a_recipe_that_mixes_the_two_is_refused(bench: Path, changes: dict, message: str):
    with pytest.raises(InputError, match=message):
        read_recipe(supervised(bench, "wrong", **changes))


def test_the_forecast_says_how_often_each_answer_is_learned(bench: Path):
    text = "\n".join(forecast(read_recipe(supervised(bench, "dry", steps=8))))
    assert "chats: own: 6 answers, 100% of a step, 4.0 times each in all" in text
    assert "steps: 8, each 3 answers of at most 16 tokens" in text
    assert "memory, roughly:" in text


def test_chats_that_stand_in_the_evaluation_stop_the_loop(bench: Path, tmp_path: Path):
    lines(
        bench / "leak.jsonl", {"prompt": "Кто здесь?", "response": "Я"}, {"prompt": "Чей кот?", "response": "Мой"}
    )
    wanted = {"tasks": ["plugin.py:words"], "accept": "words"}
    recipe = supervised(bench, "leak", chats={"own": {"data": "leak.jsonl"}}, loop=wanted)
    with pytest.raises(RunError, match="2 of 4 evaluation prompts overlap"):
        loop(recipe, tmp_path)
