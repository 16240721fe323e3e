"""Rewards: the tasks' own scores, in workers that may hang and die, and in the shapes that other trainers call."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import math
import os
import pickle
import subprocess
import sys
import threading
import types
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from evalkit.errors import InputError, RunError, UsageError
from evalkit.tasks.registry import open_task
from evalkit.tasks.types import Completion, Context, Sample, Score, Status
from evalkit.trainer.methods.gmpo.alarms import alarms, compare_critic
from evalkit.trainer.rewards import (
    Reward,
    RewardPart,
    Rewards,
    component_names,
    compute_score,
    open_instruct_rows,
    open_instruct_verifier,
    open_reward,
    trl_reward,
    trl_rows,
    verifiers_reward,
    verifiers_rows,
    verifiers_rubric,
    verl_rows,
)
from evalkit.trainer.rewards.adapters.bridge import (
    COLUMN,
    RewardBridge,
    answer_of,
    chat_samples,
    decode_sample,
    encode_sample,
)
from evalkit.trainer.rewards.scoring import soft_overlong, truncated_reward

PLUGIN = """
import asyncio, math, os, time
from evalkit.tasks.types import Metric, Observation, Score, Status, mean_value

def obedient(sample, completion):
    print("a plugin may print")
    word = completion.text.split()[0]
    match word:
        case "raise": raise RuntimeError("the dog ate it")
        case "hang":
            time.sleep(3600)
        case "die": os._exit(3)
        case "nan": return math.nan
        case "none": return None
        case "text": return "0.5"
        case "score": return Score(0.25, Status.OK_LENIENT, {"half": 0.5}, "so so")
        case "reason": return float(completion.reasoning == "hmm")
        case "truncated": return float(completion.finish_reason == "length")
        case "target": return float(sample.target == 7)
    return float(word)

async def patient(sample, completion):
    await asyncio.sleep(0)
    return 1.0 if completion.text.islower() else 0.0

class Judged:
    name, version, title, max_tokens = "judged", "3", "Judged", 16
    metrics = (Metric("broken", lambda score: [Observation(score.parts["missing"])]), mean_value("right"))
    def samples(self, *, split, limit, seed): return iter(())
    def read(self, path): return iter(())
    async def score(self, sample, completion, context):
        if completion.text == "hang":
            await asyncio.sleep(3600)
        if completion.text == "nan":
            return Score(math.nan)
        return Score(1.0)

judged = Judged()
nothing = 5
"""

SAMPLE = Sample.ask("s1", "Скажи число", target=7)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plugins") / "my_rewards.py"
    file.write_text(PLUGIN, encoding="utf-8")
    return file


def rewards_of(spec: Any, texts: list[str], *, deadline: float = 60.0) -> list[Reward]:
    async def score() -> list[Reward]:
        async with Rewards(open_reward(spec), deadline=deadline) as rewards:
            return await rewards.score_all([(SAMPLE, Completion(text)) for text in texts])

    return asyncio.run(score())


def test_a_tasks_reward_is_its_own_score_by_the_same_object():
    (part,) = open_reward("ruifeval-mini")
    task = open_task("ruifeval-mini")
    assert part.task is task
    samples = list(task.samples(split="test", limit=3, seed=0))
    answers = [(sample, Completion("Нет.")) for sample in samples]

    async def score() -> list[Reward]:
        async with Rewards((part,)) as rewards:
            return await rewards.score_all(answers)

    for (sample, completion), reward in zip(answers, asyncio.run(score()), strict=True):
        evaluated = task.score(sample, completion, Context())
        assert isinstance(evaluated, Score)
        assert reward.scores == {"ruifeval-mini": evaluated}
        assert reward.value == evaluated.value
        assert reward.components["ruifeval-mini/prompt_strict"] == float(evaluated.parts["prompt_strict"])
        assert set(reward.components) == set(component_names((part,)))


def test_what_a_plugin_returns(plugin):
    texts = ["0.75", "1", "raise", "nan", "2", "-0.5", "none", "text", "score", "target"]
    rewards = rewards_of(f"{plugin}:obedient", texts)
    values = [reward.value for reward in rewards]
    assert values == [0.75, 1.0, None, None, None, None, None, None, 0.25, 1.0]
    assert rewards[0].components == {"obedient": 0.75, "obedient/score": 0.75}
    assert rewards[2].components == {}
    reasons = [reward.why_unscored for reward in rewards]
    assert reasons[0] == ""
    assert "the scorer of 'obedient' raised RuntimeError: the dog ate it" in reasons[2]
    assert "returned nan: a finite number" in reasons[3]
    assert "returned no number" in reasons[6]
    assert "returned '0.5'" in reasons[7]
    assert {reward.scores["obedient"].status for reward in rewards[2:8]} == {Status.SCORER_ERROR}
    assert rewards[8].scores["obedient"].explanation == "so so"


RETURNS = """
import math, numpy
from evalkit.tasks.types import Score
VALUES = {
    "bool": True, "text": "0.5", "list": [0.5], "tuple": (0.5, "why"), "dict": {"score": 0.5}, "nan": math.nan,
    "inf": math.inf, "-inf": -math.inf, "array": numpy.array([0.5]), "bytes": b"1", "complex": 1j, "none": None,
    "high": 4.5, "low": -0.5, "huge": 10**400, "set": {1},
    "int": 1, "zero": 0, "numpy float": numpy.float32(0.5), "numpy int": numpy.int64(1), "score": Score(0.25),
}
def returning(sample, completion): return VALUES[completion.text]
async def returning_later(sample, completion): return VALUES[completion.text]
def stars(sample, completion): return float(completion.text)
def of_trl(completions, **kwargs): return [0.5 for _ in completions]
def of_trl_too(prompts, completions, **kwargs): return [0.5 for _ in completions]
"""
NUMBERS = {"int": 1.0, "zero": 0.0, "numpy float": 0.5, "numpy int": 1.0, "score": 0.25}
NO_NUMBERS = (
    "bool", "text", "list", "tuple", "dict", "nan", "inf", "-inf", "array", "bytes", "complex", "none", "high",
    "low", "huge", "set",
)  # fmt: skip


@pytest.fixture(scope="module")
def returns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plugins") / "returns.py"
    file.write_text(RETURNS, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["returning", "returning_later"])
def test_only_a_number_within_the_range_is_a_reward(returns, name):
    rewards = rewards_of(f"{returns}:{name}", [*NUMBERS, *NO_NUMBERS])
    assert [reward.value for reward in rewards] == [*NUMBERS.values(), *[None] * len(NO_NUMBERS)]
    assert all(len(reward.why_unscored) > 30 for reward in rewards[len(NUMBERS) :])


def test_a_reward_in_the_form_of_trl_says_what_to_write(returns):
    for name in ("of_trl", "of_trl_too"):
        (reward,) = rewards_of(f"{returns}:{name}", ["да"])
        assert reward.value is None
        assert "(sample, completion)" in reward.why_unscored


def test_a_declared_range_is_mapped_to_0_and_1(returns):
    spec = {f"{returns}:stars": {"weight": 0.5, "scale": [-1, 4]}}
    rewards = rewards_of(spec, ["-1", "1.5", "4", "4.1", "-1.1", "nan"])
    assert [reward.value for reward in rewards] == [0.0, 0.25, 0.5, None, None, None]
    with pytest.raises(UsageError, match="task"):
        open_reward({"ruifeval-mini": {"scale": [0, 4]}})
    for scale in ([4, 0], [0], "0..4", [0, 0]):
        with pytest.raises(UsageError, match="stars"):
            open_reward({f"{returns}:stars": {"scale": scale}})


def test_a_plugin_that_dies_or_hangs_costs_one_answer(plugin):
    rewards = rewards_of(f"{plugin}:obedient", ["die", "0.5", "hang", "0.25"], deadline=5.0)
    assert [reward.value for reward in rewards] == [None, 0.5, None, 0.25]
    assert rewards[0].scores["obedient"].status is Status.SCORER_ERROR
    assert rewards[2].scores["obedient"].status is Status.TIMEOUT
    assert "no verdict within 5 s" in rewards[2].why_unscored


def test_a_mix_is_a_weighted_sum_and_lacks_a_value_when_a_part_does(plugin):
    spec = {f"{plugin}:obedient": 2.0, f"{plugin}:patient": -0.5}
    low, high, broken = rewards_of(spec, ["0.5 а", "0.5 А", "none"])
    assert low.value == pytest.approx(2 * 0.5 - 0.5)
    assert high.value == pytest.approx(2 * 0.5)
    assert broken.value is None
    # What was measured of the broken one is logged all the same.
    assert broken.components == {"patient": 1.0, "patient/score": 1.0}
    assert low.components == {"obedient": 0.5, "obedient/score": 0.5, "patient": 1.0, "patient/score": 1.0}


def test_an_async_task_is_awaited_no_longer_than_the_deadline(plugin):
    good, hung, broken = rewards_of(f"{plugin}:judged", ["да", "hang", "nan"], deadline=2.0)
    assert good.value == 1.0
    assert good.components == {"judged": 1.0, "judged/right": 1.0}
    assert hung.scores["judged"].status is Status.TIMEOUT
    assert broken.scores["judged"].status is Status.SCORER_ERROR


def test_a_task_that_needs_a_judge_says_so():
    class Needy:
        name, version, title, max_tokens, metrics, needs = "needy", "1", "Needy", 1, (), ("judge",)

    async def enter() -> None:
        async with Rewards((RewardPart(Needy(), "needy"),)):  # type: ignore[arg-type]
            pass

    with pytest.raises(UsageError, match="needy"):
        asyncio.run(enter())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ruifeval-mimi", r"unknown reward 'ruifeval-mimi'\. Did you mean 'ruifeval-mini'"),
        ({}, "at least one"),
        ({"ruifeval-mini": "0.5"}, "the weight is a number, not '0.5'"),
        ({"ruifeval-mini": math.nan}, "the weight is a number, not nan"),
        ("no/such/file.py:thing", "there is no file"),
    ],
)
def test_rewards_that_cannot_be(spec, message):
    with pytest.raises(UsageError, match=message):
        open_reward(spec)


def test_plugins_that_cannot_be(plugin, tmp_path):
    with pytest.raises(UsageError, match="neither a task nor a function"):
        open_reward(f"{plugin}:nothing")
    copy = tmp_path / "other.py"
    copy.write_text(PLUGIN, encoding="utf-8")
    with pytest.raises(UsageError, match="two parts of the reward are named 'obedient'"):
        open_reward({f"{plugin}:obedient": 1.0, f"{copy}:obedient": 1.0})
    (part,) = open_reward(f"{plugin}:obedient")
    with pytest.raises(UsageError, match="no prompts of its own"):
        part.task.samples(split="test", limit=1, seed=0)
    with pytest.raises(UsageError, match="reads no files"):
        part.task.read(Path("x"))


def test_a_sample_travels_through_a_dataset_unchanged():
    for sample in open_task("ruifeval-mini").samples(split="test", limit=5, seed=0):
        assert encode_sample(decode_sample(encode_sample(sample))) == encode_sample(sample)
    assert decode_sample(encode_sample(SAMPLE)) == SAMPLE
    for wrong in (None, "", "{}", "[]", "5", {"id": "x"}):
        with pytest.raises(InputError, match="is not an evalkit sample"):
            decode_sample(wrong)


@pytest.mark.parametrize(
    ("completion", "text"),
    [
        ("прямо", "прямо"),
        ("<think>hmm</think>\nпрямо", "прямо"),
        ([{"role": "assistant", "content": "ответ"}], "ответ"),
        ([{"role": "assistant", "content": "раз"}, {"role": "assistant", "content": "два"}], "два"),
        ([{"role": "assistant", "content": "раз"}, {"role": "tool", "content": "42"}], "раз"),
        (
            [{"role": "assistant", "content": [{"type": "text", "text": "час"}, {"type": "text", "text": "ти"}]}],
            "части",
        ),
        ([{"role": "assistant", "content": None, "tool_calls": []}], ""),
        ([types.SimpleNamespace(role="assistant", content="объект")], "объект"),
        ([], ""),
        (None, ""),
    ],
)
def test_answers_in_every_form(completion, text):
    assert answer_of(completion).text == text


def call_as_trl_does(
    reward: Any, rows: list[dict[str, Any]], completions: list[Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Call a reward function with what GRPOTrainer passes: columns but the prompt, its state, two loggers."""
    logged: dict[str, Any] = {}
    columns = {
        key: [row[key] for row in rows] for key in rows[0] if key not in ("prompt", "completion", "completion_ids")
    }
    values = reward(
        prompts=[row["prompt"] for row in rows],
        completions=completions,
        completion_ids=[[1, 2] for _ in rows],
        **columns,
        trainer_state=object(),
        log_extra=logged.__setitem__,
        log_metric=logged.__setitem__,
    )
    return values, logged


def test_trl_gets_the_same_rewards(plugin):
    rows = [{"prompt": [{"role": "user", "content": "?"}], COLUMN: encode_sample(SAMPLE)} for _ in range(4)]
    texts = ["0.5 а", "1 А", "none", "<think>hmm</think>reason а"]
    spec = {f"{plugin}:obedient": 1.0, f"{plugin}:patient": 0.5}
    reward = trl_reward(spec)
    assert reward.__name__ == "obedient_patient"
    assert not inspect.iscoroutinefunction(reward)
    chats = [[{"role": "assistant", "content": text}] for text in texts]
    values, logged = call_as_trl_does(reward, rows, chats)
    assert values == [1.0, 1.0, None, 1.5]
    assert logged["unscored"] == 0.25
    assert logged["obedient"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert logged["patient"] == 0.75
    assert [bool(reason) for reason in logged["why_unscored"]] == [False, False, True, False]
    plain = [dict(row, prompt="?") for row in rows]
    assert call_as_trl_does(reward, plain, texts)[0] == values
    direct = rewards_of(spec, ["0.5 а"])[0]
    assert values[0] == direct.value


def test_trl_rows_hold_the_prompt_and_the_sample():
    rows = list(trl_rows("ruifeval-mini", split="test", limit=2))
    samples = list(open_task("ruifeval-mini").samples(split="test", limit=2, seed=0))
    assert [row["prompt"] for row in rows] == [[m.as_json() for m in sample.messages] for sample in samples]
    values, _ = call_as_trl_does(trl_reward("ruifeval-mini"), rows, ["Нет.", "Да."])
    expected = [
        open_task("ruifeval-mini").score(sample, Completion(text), Context()).value  # type: ignore[union-attr]
        for sample, text in zip(samples, ["Нет.", "Да."], strict=True)
    ]
    assert values == expected


def load_as_verl_does(file: Path, name: str, reward_kwargs: dict[str, Any]) -> Any:
    """Load a function from a file that belongs to no package, and bind its keyword arguments."""
    spec = importlib.util.spec_from_file_location("custom_module", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return partial(getattr(module, name), **reward_kwargs)


def test_verl_gets_the_same_rewards(plugin, tmp_path):
    file = tmp_path / "verl_reward.py"
    file.write_text("from evalkit.trainer.rewards.adapters.verl import compute_score\n", encoding="utf-8")
    mix = {f"{plugin}:obedient": 1.0, f"{plugin}:patient": 0.5}
    loaded = load_as_verl_does(file, "compute_score", {"reward": mix})

    def called(text: str, **more: Any) -> Any:
        return loaded(
            data_source="ruifeval-mini",
            solution_str=text,
            ground_truth=encode_sample(SAMPLE),
            extra_info={"num_turns": None, "rollout_reward_scores": {}},
            **more,
        )

    good = called("0.5 а")
    assert good == {
        "score": 1.0,
        "scored": 1.0,
        "obedient": 0.5,
        "obedient/score": 0.5,
        "patient": 1.0,
        "patient/score": 1.0,
    }
    with pytest.raises(
        RunError, match=r"could not be scored \(obedient: scorer_error: .*no number.*unscored=NUMBER"
    ):
        called("none")
    counted = called("none", unscored=0.0, reward_router_address="localhost:1")
    assert (counted["score"], counted["scored"]) == (0.0, 0.0)
    assert math.isnan(counted["obedient"])
    assert counted.keys() == good.keys()


def test_verl_rows_are_scored_by_the_task_they_name():
    row = next(iter(verl_rows("ruifeval-mini", split="test", limit=1)))
    assert {"data_source", "prompt", "ability", "reward_model", "extra_info"} == set(row)
    sample = next(iter(open_task("ruifeval-mini").samples(split="test", limit=1, seed=0)))
    found = compute_score(row["data_source"], "Нет.", row["reward_model"]["ground_truth"], row["extra_info"])
    assert found["score"] == open_task("ruifeval-mini").score(sample, Completion("Нет."), Context()).value  # type: ignore[union-attr]


def call_as_verifiers_does(function: Any, state: dict[str, Any]) -> float:
    """Pass the arguments that a function names, as a v0 rubric does for one that is no group function."""
    parameters = inspect.signature(function).parameters
    assert not set(parameters) & {"states", "prompts", "completions", "answers", "tasks", "infos"}
    known = {
        "prompt": state["prompt"],
        "completion": state["completion"],
        "answer": state.get("answer", ""),
        "state": state,
        "info": state.get("info", {}),
        "parser": object(),
        "task": None,
    }
    return float(asyncio.run(function(**{name: known[name] for name in parameters})))


def test_verifiers_gets_the_same_rewards(plugin):
    rubric = verifiers_rubric({f"{plugin}:obedient": 1.0, f"{plugin}:patient": 0.5})
    assert rubric["weights"] == [1.0, 0.5]
    assert [function.__name__ for function in rubric["funcs"]] == ["obedient", "patient"]

    def state(text: str, **more: Any) -> dict[str, Any]:
        chat = [{"role": "assistant", "content": text}]
        return {"prompt": [], "completion": chat, "info": {COLUMN: encode_sample(SAMPLE)}, **more}

    obedient, patient = rubric["funcs"]
    assert call_as_verifiers_does(obedient, state("0.5 а")) == 0.5
    assert call_as_verifiers_does(patient, state("0.5 а")) == 1.0
    assert call_as_verifiers_does(obedient, state("truncated", is_truncated=True)) == 1.0
    failed = state("none")
    assert math.isnan(call_as_verifiers_does(obedient, failed))
    assert isinstance(failed["error"], RunError)


def test_verifiers_v1_gets_the_same_rewards_and_errors(plugin):
    function = verifiers_reward(f"{plugin}:obedient")
    assert list(inspect.signature(function).parameters) == ["task", "trace"]
    task = types.SimpleNamespace(data=types.SimpleNamespace(**{COLUMN: encode_sample(SAMPLE)}))

    def called(text: str) -> float:
        return asyncio.run(function(task=task, trace=types.SimpleNamespace(last_reply=text)))

    assert called("0.5") == 0.5
    with pytest.raises(RunError, match="could not be scored"):
        called("raise")


def test_verifiers_rows():
    row = next(iter(verifiers_rows("ruifeval-mini", split="test", limit=1)))
    assert decode_sample(row["info"][COLUMN]).messages[0].as_json() == row["prompt"][0]
    assert isinstance(row["answer"], str)


@pytest.fixture
def open_instruct_base(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The two classes of open-instruct that a verifier is made of, with their documented fields."""

    @dataclass
    class VerificationResult:
        score: float
        cost: float = 0.0
        reasoning: str | None = None

    class VerifierFunction(ABC):
        def __init__(self, name: str, weight: float = 1.0, verifier_config: Any = None) -> None:
            self.name, self.weight, self.verifier_config = name, weight, verifier_config

        @abstractmethod
        def __call__(self, tokenized_prediction, prediction, label, query=None, rollout_state=None): ...

    module = types.ModuleType("open_instruct.ground_truth_utils")
    module.VerificationResult, module.VerifierFunction = VerificationResult, VerifierFunction  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "open_instruct", types.ModuleType("open_instruct"))
    monkeypatch.setitem(sys.modules, "open_instruct.ground_truth_utils", module)
    return VerifierFunction


def test_open_instruct_finds_the_verifier_and_gets_the_same_rewards(plugin, open_instruct_base):
    kept = open_instruct_verifier({f"{plugin}:obedient": 1.0}, name="Obedient")
    built = {instance.name: instance for instance in (found(None) for found in open_instruct_base.__subclasses__())}
    assert isinstance(built["obedient"], kept)

    async def called(text: str) -> Any:
        return await built["obedient"].async_call(
            tokenized_prediction=[1], prediction=text, label=encode_sample(SAMPLE), query="?", rollout_state=None
        )

    assert asyncio.run(called("<think>hmm</think>0.5")).score == 0.5
    assert built["obedient"]([1], "score", encode_sample(SAMPLE)).reasoning == "so so"
    with pytest.raises(RunError, match="could not be scored"):
        asyncio.run(called("raise"))


def test_open_instruct_rows_name_the_verifier(open_instruct_base):
    row = next(iter(open_instruct_rows("ruifeval-mini", split="test", limit=1)))
    made = open_instruct_verifier("ruifeval-mini")()
    assert made.name == row["dataset"]
    sample = next(iter(open_task("ruifeval-mini").samples(split="test", limit=1, seed=0)))
    expected = open_task("ruifeval-mini").score(sample, Completion("Нет."), Context())
    assert made([], "Нет.", row["ground_truth"]).score == expected.value  # type: ignore[union-attr]


def test_open_instruct_needs_itself_and_a_name(plugin, open_instruct_base, monkeypatch):
    with pytest.raises(UsageError, match="needs a name"):
        open_instruct_verifier({f"{plugin}:obedient": 1.0})
    monkeypatch.delitem(sys.modules, "open_instruct.ground_truth_utils")
    with pytest.raises(UsageError, match="open-instruct cannot be imported"):
        open_instruct_verifier("ruifeval-mini")


def test_a_bridge_serves_threads_and_loops_and_outlives_pickling(plugin):
    bridge = pickle.loads(pickle.dumps(RewardBridge(f"{plugin}:obedient", deadline=30.0)))
    found: list[float | None] = []
    threads = [
        threading.Thread(target=lambda: found.extend(r.value for r in bridge.score([(SAMPLE, Completion("0.5"))])))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0.5] * 3
    bridge.close()
    bridge.close()
    assert asyncio.run(bridge.score_async([(SAMPLE, Completion("1"))]))[0].value == 1.0
    bridge.close()


LEAVING = """
import os, sys, threading, time, warnings
from pathlib import Path
from evalkit.tasks.types import Completion, Sample
from evalkit.trainer.rewards.adapters.bridge import RewardBridge

warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 does not like forks beside threads; people do it.
bridge = RewardBridge(sys.argv[1])
answer = (Sample.ask("s", "?"), Completion("now"))
assert bridge.score([answer])[0].value == 1.0
child = os.fork()
if child == 0:
    value = bridge.score([answer])[0].value
    bridge.close()
    os._exit(7 if value == 1.0 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert bridge.score([answer])[0].value == 1.0
hung = (Sample.ask("s", "?"), Completion("hang"))
threading.excepthook = lambda args: None
threading.Thread(target=lambda: bridge.score([hung]), daemon=True).start()
while not Path(sys.argv[2]).exists():
    time.sleep(0.02)
"""


def test_a_bridge_works_in_a_fork_and_takes_hung_workers_along_when_python_leaves(tmp_path):
    plugin, pid_file, script = tmp_path / "slow.py", tmp_path / "pid", tmp_path / "leaving.py"
    plugin.write_text(
        "import os, time\n"
        "from pathlib import Path\n"
        "def slow(sample, completion):\n"
        "    if completion.text == 'hang':\n"
        f"        Path({str(tmp_path / 'part')!r}).write_text(str(os.getpid()))\n"
        f"        Path({str(tmp_path / 'part')!r}).rename({str(pid_file)!r})\n"
        "        time.sleep(3600)\n"
        "    return 1.0\n"
    )
    script.write_text(LEAVING)
    command = [sys.executable, "-W", "default::ResourceWarning", str(script), f"{plugin}:slow", str(pid_file)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_samples_that_are_no_single_chat_are_refused(tmp_path):
    file = tmp_path / "turns.py"
    file.write_text(
        "from evalkit.tasks.types import Sample\n"
        "class Turns:\n"
        "    name, version, title, metrics, max_tokens = 'turns', '1', 'Turns', (), 1\n"
        "    def samples(self, *, split, limit, seed):\n"
        "        yield Sample('skipped', metadata={'skip': 'why'})\n"
        "        yield Sample('two', turns=('a', 'b'))\n"
        "    def read(self, path): ...\n"
        "    def score(self, sample, completion, context): ...\n"
        "turns = Turns()\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match="sample 'two' is not a single chat"):
        list(chat_samples(f"{file}:turns", split="train", limit=None, seed=0))


@pytest.mark.parametrize(
    ("length", "expected"), [(0, 0.0), (6, 0.0), (7, -0.25), (8, -0.5), (10, -1.0), (11, -1.0), (10**9, -1.0)]
)
def test_overlong_by_hand(length, expected):
    assert soft_overlong(length, 10, 4) == expected


def test_overlong_as_a_step():
    assert (soft_overlong(10, 10, 0), soft_overlong(11, 10, 0)) == (0.0, -1.0)


def test_rewards_of_answers_that_were_cut_off():
    assert truncated_reward(0.8, truncated=False, coefficient=0.0) == 0.8
    assert truncated_reward(0.8, truncated=True, coefficient=0.5) == 0.4
    assert truncated_reward(0.8, truncated=True, coefficient=-0.5) == -0.5


def test_a_critic_compared_with_the_checker():
    report = compare_critic([0.9, 0.8, 0.3, 0.3], [1, 0, 0, 1])
    # Of the four (right, wrong) pairs: above, above, below, tied.
    assert report.auroc == pytest.approx(2.5 / 4)
    assert report.brier == pytest.approx((0.01 + 0.64 + 0.09 + 0.49) / 4)
    assert report.inflation == pytest.approx((2.3 - 2) / 4)
    assert alarms(report) == []


def test_a_critic_that_praises_everything_or_guesses_is_stopped():
    praise = compare_critic([1.0, 1.0, 1.0, 1.0], [1, 0, 0, 0])
    assert [reason.split()[1] for reason in alarms(praise)] == ["critic", "critic's"]
    assert compare_critic([0.5, 0.6], [1, 1]).auroc is None
    assert len(alarms(compare_critic([0.1, 0.9], [1, 0]))) == 1
    for wrong in (([], []), ([1.0], [1.0, 0.0])):
        with pytest.raises(ValueError, match="same answers"):
            compare_critic(*wrong)
