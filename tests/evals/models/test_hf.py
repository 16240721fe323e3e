"""``hf:`` models: on real models of random weights for the logic, on SmolLM2 for the rest."""

from __future__ import annotations

import asyncio
import math
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import EvalkitError, InputError, MissingExtraError, ModelError, UsageError
from evalkit.evals.models.base import LikelihoodModel, ModelOptions, Sampling
from evalkit.evals.models.hf.model import HfModel, open_hf
from evalkit.evals.models.reasoning import split_reasoning
from evalkit.evals.models.weights.checkpoints import (
    find_checkpoint,
    folder_sha256,
    gguf_to_safetensors,
    split_adapter,
)
from evalkit.tasks.types import Completion, Message
from evalkit.tests.support.tiny_model import CHAT_TEMPLATE, save_tiny_model, tiny_tokenizer

torch = pytest.importorskip("torch", reason="needs evalkit-ru[hf]")
transformers = pytest.importorskip("transformers", reason="needs evalkit-ru[hf]")

PROMPTS = [
    "Привет! Как дела?",
    "The",
    "What is the capital of France? " * 3,
    "sea",
    "Зима " * 9,
    "1 2 3",
    "лес",
    "fox",
]


@pytest.fixture(autouse=True)
def _cache(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep sums of throw-away files out of the user's cache; the embedded model does lie there."""
    if "embedded" not in request.keywords:
        monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"))


def opened(folder: Path | str, **extra: str) -> HfModel:
    return open_hf(str(folder), ModelOptions(extra={"device": "cpu", **extra}))


def with_model(model: HfModel, use: Callable[[HfModel], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        try:
            return await use(model)
        finally:
            await model.close()

    return asyncio.run(run())


def answers(model: HfModel, prompts: Sequence[str], *samplings: Sampling) -> list[Completion]:
    """The answers to all prompts, each drawn in all of the given ways, asked at once."""

    async def ask(model: HfModel) -> list[Completion]:
        chats = [([Message("user", prompt)], sampling) for sampling in samplings for prompt in prompts]
        return list(await asyncio.gather(*(model.generate(*chat) for chat in chats)))

    return with_model(model, ask)


def words(completions: Sequence[Completion]) -> list[Any]:
    return [(answer.text, answer.finish_reason, answer.usage) for answer in completions]


def greedy(**fields: Any) -> Sampling:
    return Sampling(**{"max_tokens": 24, **fields})


# -- generation ---------------------------------------------------------------------------------------------------


def test_greedy_answers_are_those_of_transformers(tiny: Path) -> None:
    model = opened(tiny)
    tokenizer, network = model._tokenizer, model._lm.model
    expected = []
    for prompt in PROMPTS:
        chat = [{"role": "user", "content": prompt}]
        inputs = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        output = network.generate(**inputs, max_new_tokens=24, do_sample=False)
        decoded = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        # The weights are random, and among the tokens is <think>.
        expected.append(split_reasoning(Completion(decoded)).text)
    assert [answer.text for answer in answers(model, PROMPTS, greedy())] == expected
    assert len(list(filter(None, expected))) > 5


@pytest.mark.parametrize(
    "architecture",
    ["llama", "gemma3_text", "lfm2", pytest.param("qwen3_next", marks=pytest.mark.exhaustive), "gpt2", "bloom"],
)
def test_answers_do_not_depend_on_the_batch(tmp_path: Path, architecture: str) -> None:
    """Full and sliding attention, convolutions, linear attention, learned positions, ALiBi."""
    folder = save_tiny_model(tmp_path, architecture=architecture)
    drawn = [greedy(max_tokens=12), greedy(temperature=1.0), greedy(temperature=1.3, top_p=0.8, seed=5)]
    alone = answers(opened(folder, batch_size="1"), PROMPTS[:5], *drawn)
    together = answers(opened(folder, batch_size="8"), PROMPTS[:5], *drawn)
    assert words(alone) == words(together)
    assert len({answer.text for answer in alone}) > 10


def test_rounding_does_not_tip_a_draw(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors far beyond what is measured, put on by force, change answers only without the second look."""
    drawn = [greedy(), greedy(temperature=1.0, max_tokens=40), greedy(temperature=1.0, top_p=0.9)]
    from evalkit.evals.models.hf import decoding
    from evalkit.evals.models.hf.causal_lm import CausalLM

    exact = words(answers(opened(tiny, batch_size="1"), PROMPTS, *drawn))
    forward = CausalLM.forward
    noise = torch.Generator().manual_seed(1)

    def noisy(self: Any, inputs: Any, mask: Any, cache: Any = None, **keywords: Any) -> Any:
        logits, cache = forward(self, inputs, mask, cache, **keywords)
        if keywords.get("use_cache", False):
            logits = logits + 0.02 * torch.randn(logits.shape, generator=noise)
        return logits, cache

    monkeypatch.setattr(CausalLM, "forward", noisy)
    monkeypatch.setattr(decoding, "rounding_tolerance", lambda logits: 0.3)
    assert words(answers(opened(tiny, batch_size="8"), PROMPTS, *drawn)) == exact
    monkeypatch.setattr(decoding, "rounding_tolerance", lambda logits: 0.0)
    noisy_again = [words(answers(opened(tiny, batch_size="8"), PROMPTS, *drawn)) for _ in range(2)]
    assert noisy_again[0] != noisy_again[1]


def test_runs_at_batch_sizes_1_and_8_have_the_same_rows(tiny: Path, tmp_path: Path) -> None:
    import evalkit
    from evalkit.evals.records.rows import read_rows

    plugin = tmp_path / "plugin.py"
    plugin.write_text(
        "from evalkit.evals.models.hf.model import open_hf\n"
        f"def tiny(name, options):\n    return open_hf({str(tiny)!r}, options)\n",
        encoding="utf-8",
    )
    data = tmp_path / "asked.jsonl"
    instructions = '"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]'
    lines = [f'{{"key": {key}, "prompt": "{text.strip()}", {instructions}}}' for key, text in enumerate(PROMPTS)]
    data.write_text("\n".join(lines), encoding="utf-8")
    runs = []
    for size in ("1", "8"):
        directory = evalkit.run(
            f"{plugin}:tiny,batch_size={size},device=cpu",
            ["ruifeval"],
            data={"ruifeval": str(data)},
            output=tmp_path / size,
            epochs=2,
            temperature=1.0,
            max_tokens=40,
        )
        rows = [
            {key: value for key, value in row.as_json().items() if key != "timing"} for row in read_rows(directory)
        ]
        runs.append(sorted(rows, key=lambda row: (row["id"], row["epoch"])))
    assert len(runs[0]) == 2 * len(PROMPTS)
    assert all(row["completion"]["text"] for row in runs[0])
    assert runs[0] == runs[1]


def test_seeds(tiny: Path) -> None:
    ways = [greedy(temperature=1.0, seed=seed) for seed in (0, 0, 1, None, None)]
    texts = [answer.text for answer in answers(opened(tiny), ["Привет"], *ways)]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 4


def test_different_prompts_meet_different_noise(tiny: Path) -> None:
    """Or all samples of a run would be tossed by the same coin."""
    from evalkit.evals.models.hf.draws import gumbel_noise, request_generator

    cpu = torch.device("cpu")
    first, second, again = (gumbel_noise(1000, request_generator(0, tokens, cpu)) for tokens in ([1], [2], [1]))
    assert torch.equal(first, again)
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.15


def test_half_precision_admits_that_batches_matter(tiny: Path) -> None:
    model = opened(tiny, dtype="bfloat16")
    assert model.identity["batch_invariant"] is False
    assert "float32" in model.identity["batch_variance"]
    assert answers(model, PROMPTS, greedy(temperature=0.7))
    assert opened(tiny).identity["batch_invariant"] is True


# -- the prompt ---------------------------------------------------------------------------------------------------


def test_the_chat_template_is_applied_once(tiny: Path) -> None:
    model = opened(tiny)
    rendered = model._template.render([Message("user", "Привет")])
    tokens = model._template.tokens(rendered)
    bos = model._tokenizer.bos_token_id
    assert tokens[0] == bos
    assert tokens.count(bos) == 1
    assert rendered == "<|bos|><|im_start|>user\nПривет<|im_end|>\n<|im_start|>assistant\n"
    plain = opened(tiny, chat_template="plain")._template
    assert plain.tokens(plain.render([Message("user", "Привет")])).count(bos) == 1


def test_a_base_model_needs_to_be_told_what_to_do(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path, chat_template=None)
    with pytest.raises(ModelError, match="chat_template=plain"):
        opened(folder)
    plain = opened(folder, chat_template="plain")
    assert plain.identity["chat_template"] == "plain"
    assert plain._template.render([Message("system", "а"), Message("user", "б")]) == "а\n\nб"
    file = tmp_path / "chat.jinja"
    file.write_text(CHAT_TEMPLATE, encoding="utf-8")
    from_file = opened(folder, chat_template=str(file))
    assert len(from_file.identity["chat_template_sha256"]) == 64
    assert answers(from_file, ["Привет"], greedy())[0].text
    with pytest.raises(InputError, match=r"no\.jinja: No such file"):
        opened(folder, chat_template="no.jinja")


def test_a_template_that_refuses_a_chat_costs_one_sample(tiny: Path) -> None:
    async def ask(model: HfModel) -> None:
        with pytest.raises(ModelError, match=r"user, system.*system comes first") as caught:
            await model.generate([Message("user", "а"), Message("system", "б")], greedy())
        assert not caught.value.fatal
        assert (await model.generate([Message("user", "а")], greedy())).text

    with_model(opened(tiny), ask)


def test_long_prompts_are_never_cut_in_silence(tiny: Path) -> None:
    long = "Привет " * 400

    async def ask(model: HfModel) -> list[Any]:
        return await asyncio.gather(
            *(model.generate([Message("user", prompt)], greedy()) for prompt in (long, "Привет")),
            return_exceptions=True,
        )

    failed, answered = with_model(opened(tiny), ask)
    assert isinstance(failed, ModelError)
    assert not failed.fatal
    assert "tokens and the context 256" in str(failed)
    assert answered.finish_reason == "length"

    model = opened(tiny, truncate_prompt="true")
    assert model.identity["truncate_prompt"] is True
    cut, whole = with_model(model, ask)
    assert cut.finish_reason == "prompt_truncated"
    assert cut.usage.prompt_tokens == 256 - 24
    assert words([whole]) == words([answered])


def test_an_answer_ends_where_the_context_does(tiny: Path) -> None:
    model = opened(tiny, context="40")
    (answer,) = answers(model, ["sea"], greedy(max_tokens=1000))
    assert answer.finish_reason == "length"
    assert answer.usage.prompt_tokens + answer.usage.completion_tokens == 40
    assert opened(tiny, context="100000").identity["context"] == 256


# -- the end of an answer -----------------------------------------------------------------------------------------


def test_stop_strings_do_not_leak(tiny: Path) -> None:
    (whole,) = answers(opened(tiny), ["sea"], greedy(max_tokens=60))
    for start, end in ((5, 6), (9, 14), (20, 21), (3, 13)):
        stop = whole.text[start:end]
        first = whole.text.index(stop)
        (cut,) = answers(opened(tiny), ["sea"], greedy(max_tokens=60, stop=("нет такого", stop)))
        assert cut.text == whole.text[:first]
        assert cut.finish_reason == "stop"
        assert cut.usage.completion_tokens < 60


class Parrot:
    """A model that says given tokens and ends; what it is asked goes through the same code as a real one's."""

    batch_invariant, device = True, torch.device("cpu")

    def __init__(self, tokens: Sequence[int], end: int) -> None:
        self.tokens = [*tokens, end]
        self.stop_tokens = frozenset([end])

    def decode(self, prompts: Sequence[Any], step: Any) -> None:
        going_on = [True] * len(prompts)
        for token in self.tokens:
            logits = torch.zeros(len(prompts), max(self.tokens) + 1)
            logits[:, token] = 9.0
            tokens, going_on = step(logits, list(range(len(prompts))))
            assert tokens.tolist() == [token] * len(prompts)
            if not any(going_on):
                return


@pytest.mark.parametrize(
    ("said", "think", "text", "reasoning"),
    [
        ("<think>\n1\n\n2\n</think>\n\nПариж\n\nи ещё", "false", "Париж", "1\n\n2"),
        ("1\n\n2\n</think>\n\nПариж\n\nи ещё", "true", "Париж", "1\n\n2"),
        ("1\n\n2 и дальше", "true", "", "1\n\n2 и дальше"),
        ("Париж\n\nи ещё", "false", "Париж", None),
    ],
)
def test_stop_strings_end_answers_not_thoughts(
    tiny: Path, said: str, think: str, text: str, reasoning: str
) -> None:
    from evalkit.evals.models.hf.chat_template import chat_template

    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = CHAT_TEMPLATE
    parrot: Any = Parrot(tokenizer.encode(said, add_special_tokens=False), tokenizer.eos_token_id)
    template = chat_template(tokenizer, None, think=think == "true")
    model = HfModel("parrot", lm=parrot, template=template, context=256, identity={})
    (answer,) = answers(model, ["Столица?"], greedy(max_tokens=100, stop=("\n\n",)))
    assert (answer.text, answer.reasoning) == (text, reasoning)


def test_end_of_text_tokens_of_the_generation_config(tiny: Path, tmp_path: Path) -> None:
    (whole,) = answers(opened(tiny), ["sea"], greedy())
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "sea"}], add_generation_prompt=True)
    chat = torch.tensor([chat["input_ids"]])
    third = int(model.generate(chat, max_new_tokens=3, do_sample=False)[0, -1])
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, third]
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (answer,) = answers(opened(tmp_path), ["sea"], greedy())
    assert answer.finish_reason == "stop"
    assert answer.usage.completion_tokens <= 2
    assert whole.text.startswith(answer.text)


# -- likelihood ---------------------------------------------------------------------------------------------------

PAIRS = [
    ("The capital of France is", " Paris"),
    ("The capital of France is ", "Paris"),
    ("Столица России —", " Москва. Привет!"),
    ("", "Зима была снежной"),
    ("<|bos|>fox", " jumps"),
    ("1 2 3", " 4"),
    ("1 2 3", " 5"),
    ("fox " * 150, "jumps over the lazy dog."),
]
# The models compute in float64, where the order of sums does not matter; logits are rounded once, to float32, which
# changes a token's log-probability by 1e-7 of the logits' size (measured: 2e-8 of the sum).
ROUNDED = 1e-6


def test_likelihoods_are_those_of_a_plain_forward_pass(tiny: Path) -> None:
    model = opened(tiny, dtype="float64")
    assert isinstance(model, LikelihoodModel)
    network = model._lm.model
    tokenizer = model._tokenizer
    found = with_model(model, lambda model: model.loglikelihood(PAIRS[:3]))
    for (context, continuation), (value, is_greedy) in zip(PAIRS, found, strict=False):
        whole = tokenizer.encode(context.rstrip() + " " * context.endswith(" ") + continuation)
        begin = len(tokenizer.encode(context.rstrip()))
        with torch.inference_mode():
            logits = network(torch.tensor([whole])).logits[0].log_softmax(-1)
        each = [logits[place - 1, whole[place]] for place in range(begin, len(whole))]
        assert value == pytest.approx(float(sum(each)), rel=ROUNDED)
        assert is_greedy == all(logits[place - 1].argmax() == whole[place] for place in range(begin, len(whole)))


def test_greedy_continuations_are_recognised(tiny: Path) -> None:
    said = answers(opened(tiny, chat_template="plain"), PROMPTS, greedy(max_tokens=1))
    encode = tiny_tokenizer().encode
    whole_tokens = [
        (prompt, answer.text)
        for prompt, answer in zip(PROMPTS, said, strict=True)
        if not prompt.endswith(" ") and len(encode(prompt + answer.text)) == len(encode(prompt)) + 1
    ]
    assert len(whole_tokens) >= 3
    others = [(prompt, " fox" if text != " fox" else " sea") for prompt, text in whole_tokens]
    found = with_model(opened(tiny), lambda model: model.loglikelihood([*whole_tokens, *others]))
    assert [is_greedy for _, is_greedy in found] == [True] * len(whole_tokens) + [False] * len(others)
    assert all(best[0] > other[0] for best, other in zip(found, found[len(others) :], strict=False))


def test_likelihoods_do_not_depend_on_the_batch(tiny: Path) -> None:
    async def together(model: HfModel) -> list[Any]:
        return list(await asyncio.gather(*(model.loglikelihood([pair]) for pair in PAIRS)))

    async def apart(model: HfModel) -> list[Any]:
        return [await model.loglikelihood([pair]) for pair in PAIRS]

    assert with_model(opened(tiny, batch_size="8"), together) == with_model(opened(tiny, batch_size="1"), apart)


def test_every_token_of_a_long_text_is_scored_once(tiny: Path) -> None:
    text = "Зима была снежной, и море замёрзло. " * 30
    whole = with_model(opened(tiny), lambda model: model.loglikelihood_rolling([text, ""]))
    assert whole[1] == 0.0 or math.isfinite(whole[1])
    model = opened(tiny, context="64", dtype="float64")
    tokens = model._tokenizer.encode(text)
    network, total = model._lm.model, 0.0
    for start in range(0, len(tokens), 64):
        targets = tokens[start : start + 64]
        before = tokens[max(0, start - 65 + len(targets)) : start] or [model._tokenizer.bos_token_id]
        inputs = [*before, *targets][:-1]
        with torch.inference_mode():
            logits = network(torch.tensor([inputs])).logits[0, -len(targets) :].log_softmax(-1)
        total += float(sum(logits[place, token] for place, token in enumerate(targets)))
    assert with_model(model, lambda model: model.loglikelihood_rolling([text])) == [
        pytest.approx(total, rel=ROUNDED)
    ]


def test_what_has_no_likelihood_says_so(tiny: Path) -> None:
    async def ask(model: HfModel) -> None:
        for pair, reason in (
            (("a", ""), "it has no likelihood"),
            (("", ""), "it has no likelihood"),
            (("a", "fox " * 400), "longer than"),
        ):
            with pytest.raises(ModelError, match=reason):
                await model.loglikelihood([pair])

    with_model(opened(tiny), ask)


def test_likelihoods_are_those_of_lm_eval(tiny: Path) -> None:
    pytest.importorskip("lm_eval", reason="needs evalkit-ru[lm-eval]")
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    text = "Зима была снежной, и море замёрзло. " * 30
    theirs = HFLM(pretrained=str(tiny), device="cpu", dtype="float64", batch_size=4)
    expected = theirs.loglikelihood([Instance("loglikelihood", {}, pair, 0) for pair in PAIRS], disable_tqdm=True)
    rolling = theirs.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (text,), 0)], disable_tqdm=True)
    found = with_model(opened(tiny, dtype="float64"), lambda model: model.loglikelihood(PAIRS))
    assert [is_greedy for _, is_greedy in found] == [is_greedy for _, is_greedy in expected]
    assert [value for value, _ in found] == pytest.approx([value for value, _ in expected], rel=ROUNDED)
    ours = with_model(opened(tiny, dtype="float64"), lambda model: model.loglikelihood_rolling([text]))
    assert ours == pytest.approx(rolling, rel=ROUNDED)


# -- weights ------------------------------------------------------------------------------------------------------


def save_adapter(model_folder: Path, folder: Path, *, rank: int = 4) -> Path:
    peft = pytest.importorskip("peft", reason="needs evalkit-ru[hf]")
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_pretrained(model_folder)
    config = peft.LoraConfig(r=rank, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    adapted = peft.get_peft_model(model, config)
    adapted.save_pretrained(folder)
    return folder


def test_an_adapter_changes_answers_and_identity(tiny: Path, tmp_path: Path) -> None:
    adapter = save_adapter(tiny, tmp_path / "adapter")
    bare = opened(tiny)
    adapted = opened(f"{tiny}+lora:{adapter}")
    as_option = opened(tiny, lora=str(adapter))
    last = opened(tiny, dtype=f"float32+lora:{adapter}")
    assert bare.identity["weights_sha256"] == adapted.identity["weights_sha256"]
    assert "adapter_sha256" not in bare.identity
    assert adapted.identity == as_option.identity == last.identity != bare.identity
    assert adapted.name == as_option.name == f"hf:{tiny}+lora:{adapter}"
    plain, *changed = (words(answers(model, PROMPTS, greedy())) for model in (bare, adapted, as_option, last))
    assert changed[0] == changed[1] == changed[2] != plain


def test_adapters_that_cannot_be(tiny: Path, tmp_path: Path) -> None:
    other = save_tiny_model(tmp_path / "gpt2", architecture="gpt2")
    adapter = save_adapter(tiny, tmp_path / "adapter")
    with pytest.raises(ModelError, match="does not fit") as caught:
        opened(f"{other}+lora:{adapter}")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="is not a LoRA adapter"):
        opened(f"{tiny}+lora:{tmp_path}")
    for name, extra in (("a+lora:", {}), ("a+lora:b+lora:c", {}), ("a+lora:b", {"lora": "c"})):
        with pytest.raises(UsageError, match="may be given once"):
            split_adapter(name, ModelOptions(extra=extra))


def test_weights_that_are_missing_are_not_made_up(tiny: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    copy = Path(shutil.copytree(tiny, tmp_path / "copy"))
    weights = load_file(copy / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"incomplete: 1 missing weights, e\.g\. model\.layers\.1\.mlp\.up_proj"):
        opened(copy)

    adapter = save_adapter(tiny, tmp_path / "adapter")
    weights = load_file(adapter / "adapter_model.safetensors")
    first = sorted(weights)[0]
    save_file({key: value for key, value in weights.items() if key != first}, adapter / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=r"does not fit this base model: 1 missing or unexpected weights"):
        opened(tiny, lora=str(adapter))
    save_file(
        weights | {first.replace("layers.0", "layers.9"): weights[first].clone()},
        adapter / "adapter_model.safetensors",
    )
    with pytest.raises(ModelError, match=r"does not fit this base model: 1 missing or unexpected weights"):
        opened(tiny, lora=str(adapter))


def test_identity_follows_content_not_place(tiny: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(tiny, tmp_path / "copy"))
    assert opened(copy).identity == opened(tiny).identity
    (copy / "README.md").write_text("words", encoding="utf-8")
    assert folder_sha256(copy) == folder_sha256(tiny)
    config = copy / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"rms_norm_eps": 1e-06', '"rms_norm_eps": 1e-05'))
    assert folder_sha256(copy) != folder_sha256(tiny)


@pytest.mark.parametrize(
    ("name", "extra", "error", "message"),
    [
        ("", {}, UsageError, "which model"),
        ("no/such/folder", {}, InputError, "there is no folder no/such/folder"),
        ("./nothing", {}, InputError, "there is no folder"),
        ("nothing.gguf", {}, InputError, "there is no file"),
        ("TINY", {"dtypes": "x"}, UsageError, "Did you mean 'dtype'"),
        ("TINY", {"dtype": "float8"}, UsageError, "float32"),
        ("TINY", {"device": "tpu"}, UsageError, "device=tpu"),
        ("TINY", {"batch_size": "0"}, UsageError, "above 0"),
        ("TINY", {"truncate_prompt": "perhaps"}, UsageError, "true or false"),
    ],
)
def test_mistakes_are_named(tiny: Path, name: str, extra: dict[str, str], error: type, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        open_hf(str(tiny) if name == "TINY" else name, ModelOptions(extra=extra))
    assert "\n" not in str(caught.value)


def test_a_cuda_device_that_is_not_there(tiny: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(UsageError, match="finds no CUDA device"):
        opened(tiny, device="cuda")


@pytest.mark.gpu
def test_on_cuda(tiny: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    drawn = [greedy(), greedy(temperature=1.0)]
    alone = answers(opened(tiny, device="cuda", dtype="float32", batch_size="1"), PROMPTS, *drawn)
    together = answers(opened(tiny, device="cuda", dtype="float32", batch_size="8"), PROMPTS, *drawn)
    assert words(alone) == words(together)


def test_broken_folders(tiny: Path, tmp_path: Path) -> None:
    import shutil

    with pytest.raises(InputError, match=r"no config\.json"):
        opened(tmp_path)
    broken = Path(shutil.copytree(tiny, tmp_path / "broken"))
    (broken / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        opened(broken)
    assert caught.value.fatal


def test_a_hub_that_cannot_be_reached_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="'owner/model' is not a local folder") as caught:
        open_hf("owner/model", ModelOptions())
    assert caught.value.fatal
    assert "\n" not in str(caught.value)


def test_a_hub_model_in_the_cache_is_found_offline_with_its_commit(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import shutil

    import huggingface_hub.constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    place = tmp_path / "models--owner--model"
    shutil.copytree(tiny, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit, encoding="utf-8")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    found = find_checkpoint("owner/model")
    assert found.revision == commit
    assert found.identity()["weights_sha256"] == folder_sha256(tiny)
    assert find_checkpoint("owner/model", revision=commit) == found


@pytest.mark.parametrize("module", ["torch", "transformers"])
def test_a_missing_extra_is_one_line(tiny: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'evalkit-ru\[hf\]'"):
        open_hf(str(tiny), ModelOptions())


# -- batches ------------------------------------------------------------------------------------------------------


def test_out_of_memory_splits_the_batch(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = words(answers(opened(tiny), PROMPTS, greedy()))
    from evalkit.evals.models.hf.causal_lm import CausalLM

    decode, sizes = CausalLM.decode, []

    def short_of_memory(self: Any, prompts: Sequence[Any], *rest: Any) -> None:
        sizes.append(len(prompts))
        if len(prompts) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        decode(self, prompts, *rest)

    monkeypatch.setattr(CausalLM, "decode", short_of_memory)
    assert words(answers(opened(tiny), PROMPTS, greedy())) == expected
    assert sizes == [8, 4, 2, 2, 4, 2, 2]

    def no_memory(self: Any, prompts: Sequence[Any], *rest: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")

    monkeypatch.setattr(CausalLM, "decode", no_memory)
    with pytest.raises(ModelError, match="out of memory for one prompt: CUDA out of memory"):
        answers(opened(tiny), ["sea"], greedy())


def test_cancelled_requests_leave_the_batch(tiny: Path) -> None:
    async def ask(model: HfModel) -> None:
        model.context, model._lm.stop_tokens = 10**9, frozenset()
        endless = asyncio.create_task(model.generate([Message("user", "sea")], greedy(max_tokens=10**8)))
        short = asyncio.create_task(model.generate([Message("user", "fox")], greedy(max_tokens=3)))
        assert (await short).usage.completion_tokens == 3
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
        assert (await model.generate([Message("user", "sea")], greedy(max_tokens=3))).text is not None

    with_model(opened(tiny, batch_tokens=str(10**9)), ask)


def test_closing_gives_up_what_runs(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalkit.evals.models.hf.causal_lm import CausalLM

    forward, running = CausalLM.forward, threading.Event()
    monkeypatch.setattr(CausalLM, "forward", lambda *given, **named: running.set() or forward(*given, **named))

    async def run() -> None:
        model = opened(tiny, batch_size="1")
        model.context, model._lm.stop_tokens = 10**9, frozenset()
        asked = [
            asyncio.create_task(model.generate([Message("user", text)], greedy(max_tokens=10**8))) for text in "ab"
        ]
        while not running.is_set():
            await asyncio.sleep(0.01)
        await model.close()
        assert all(isinstance(done, BaseException) for done in await asyncio.gather(*asked, return_exceptions=True))
        with pytest.raises(ModelError, match="closed"):
            await model.generate([Message("user", "a")], greedy())

    asyncio.run(run())


def test_a_failure_in_the_model_costs_a_batch_not_the_run(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalkit.evals.models.hf.causal_lm import CausalLM

    forward = CausalLM.forward

    def failing(self: Any, inputs: Any, *rest: Any, **keywords: Any) -> Any:
        if inputs.shape[1] > 60:
            raise RuntimeError("shape '[1]' is invalid")
        return forward(self, inputs, *rest, **keywords)

    monkeypatch.setattr(CausalLM, "forward", failing)

    async def ask(model: HfModel) -> None:
        with pytest.raises(ModelError, match="RuntimeError: shape"):
            await model.generate([Message("user", "Зима " * 30)], greedy())
        assert (await model.generate([Message("user", "a")], greedy())).text

    with_model(opened(tiny), ask)


def test_logits_that_are_not_numbers(tiny: Path) -> None:
    model = opened(tiny, dtype="float16")
    with torch.no_grad():
        model._lm.model.lm_head.weight.fill_(float("nan"))

    async def ask(model: HfModel) -> None:
        with pytest.raises(ModelError, match=r"NaN or infinite in torch\.float16: try dtype=float32"):
            await model.generate([Message("user", "a")], greedy())
        with pytest.raises(ModelError, match="NaN or infinite"):
            await model.loglikelihood([("a", " b")])

    with_model(model, ask)


# -- SmolLM2 ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def smollm2() -> Path:
    from evalkit.evals.models.weights.catalog import find_entry
    from evalkit.evals.models.weights.fetching import fetch

    try:
        return fetch(find_entry("smollm2-135m"))
    except EvalkitError as error:
        pytest.skip(f"no SmolLM2 weights: {error}")


@pytest.mark.embedded
@pytest.mark.exhaustive
def test_smollm2_from_gguf(smollm2: Path) -> None:
    folder = gguf_to_safetensors(smollm2)
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert gguf_to_safetensors(smollm2) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    model = opened(smollm2)
    assert model.context == 8192
    question = "What is the capital of France? Answer with one word."
    (answer,) = answers(model, [question], greedy())
    assert "Paris" in answer.text
    assert answer.finish_reason == "stop"
    assert "<|im_end|>" not in answer.text


@pytest.mark.embedded
@pytest.mark.slow
@pytest.mark.exhaustive
def test_smollm2_answers_the_same_at_batch_sizes_1_and_8(smollm2: Path) -> None:
    prompts = [
        "What is the capital of France?",
        "Write a poem about the sea.",
        "Привет! Как дела?",
        "List ten fruits.",
    ]
    drawn = [greedy(max_tokens=24), greedy(max_tokens=24, temperature=1.0, top_p=0.95)]
    alone, together = (answers(opened(smollm2, batch_size=size), prompts, *drawn) for size in ("1", "8"))
    assert words(alone) == words(together)
