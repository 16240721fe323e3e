"""The closed loop: overlap, acceptance, guards, alarms, rounds; the collapse that pleases a scorer."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

torch = pytest.importorskip("torch", reason="needs evalkit-ru[train]")
pytest.importorskip("peft", reason="needs evalkit-ru[train]")

from evalkit.cli.main import app
from evalkit.errors import RunError, UsageError
from evalkit.evals.records.training import MetricsRow
from evalkit.evals.run import run
from evalkit.reports import write_learning
from evalkit.tests.support.trainer_bench import journal_lines, save_bench, write_recipe
from evalkit.trainer.acceptance import LEVEL, decide_round, examples, level_of
from evalkit.trainer.data.contamination import find_overlaps
from evalkit.trainer.loop import check_overlap, loop
from evalkit.trainer.recipe.fields import Alarms, Guards, Loop
from evalkit.trainer.recipe.reading import read_recipe
from evalkit.trainer.rewards import monitors
from typer.testing import CliRunner

LOOP_PLUGIN = '''
from evalkit.tasks.types import Completion, Sample, Score, mean_value

class SmallLetters:
    """Rewards small letters and nothing else: it can be gamed."""
    name, version, title, max_tokens = "small", "1", "Small letters", 8
    metrics = (mean_value(),)
    def samples(self, *, split, limit, seed):
        return [Sample.ask(f"{split}-{n}", f"{split} {n}: какого цвета море?") for n in range(60)][:limit]
    def read(self, path):
        return []
    def score(self, sample, completion, context):
        return Score(float(completion.text.islower()))

class Ascii(SmallLetters):
    name, title = "ascii", "ASCII"
    def score(self, sample, completion, context):
        text = completion.text
        return Score(sum(letter.isascii() for letter in text) / len(text) if text else 0.0)

small, ascii_letters = SmallLetters(), Ascii()
'''

RUSSIAN = [f"Море бывает синим, зелёным и серым, вид номер {n}." for n in range(60)]
SMALL_RUSSIAN = [f"море бывает синим, зелёным и серым, вид номер {n}." for n in range(60)]
JUNK = [f"francecolumnlines{n} thesea" for n in range(60)]
SAME = ["море синее, и небо над ним тоже синее."] * 60


@pytest.fixture(autouse=True)
def _quiet(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path_factory.getbasetemp() / "evalkit-cache"))
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save_bench(tmp_path_factory.mktemp("bench"))
    (folder / "small.py").write_text(LOOP_PLUGIN, encoding="utf-8")
    return folder


def replayed(bench: Path, folder: Path, answers: list[str]) -> Path:
    file = folder.with_suffix(".jsonl")
    rows = [{"prompt": f"test {n}: какого цвета море?", "response": text} for n, text in enumerate(answers)]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return run(f"replay:{file}", [f"{bench / 'small.py'}:small"], output=folder)


def wanted(**changes: object) -> Loop:
    return Loop(**({"tasks": ("small",), "accept": "small"} | changes))


@pytest.fixture(scope="module")
def runs(bench: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    kinds = {
        "russian": RUSSIAN,
        "small": SMALL_RUSSIAN,
        "junk": JUNK,
        "same": SAME,
        "few": SMALL_RUSSIAN[:3] + RUSSIAN[3:],
        "half": SMALL_RUSSIAN[:12] + RUSSIAN[12:],
    }
    return {name: replayed(bench, folder / name, answers) for name, answers in kinds.items()}


def test_what_is_better_at_no_ones_expense_is_accepted(runs: dict[str, Path]):
    verdict = decide_round(runs["russian"], runs["small"], wanted())
    assert verdict.accepted, verdict.reasons
    assert verdict.gain.value == 1
    assert {one.name for one in verdict.guards} == {"cyrillic", "distinct", "length"}


def test_the_collapse_into_foreign_small_letters_is_refused(runs: dict[str, Path]):
    verdict = decide_round(runs["russian"], runs["junk"], wanted())
    assert verdict.gain.value == 1
    assert not verdict.accepted
    assert [one.name for one in verdict.guards if not one.holds] == ["cyrillic"]
    assert verdict.reasons == ("guard cyrillic: 1.000 before, 0.000 after, allowed is 0.1",)
    assert not decide_round(runs["russian"], runs["same"], wanted()).accepted
    unguarded = Guards(cyrillic=None, distinct=None, length=None)
    assert decide_round(runs["russian"], runs["junk"], wanted(guards=unguarded)).accepted


def test_a_gain_that_chance_explains_is_refused(runs: dict[str, Path]):
    verdict = decide_round(runs["russian"], runs["few"], wanted())
    assert verdict.gain.value == pytest.approx(0.05)
    assert "not above 0" in verdict.reasons[0]
    assert not decide_round(runs["small"], runs["russian"], wanted()).accepted
    assert not decide_round(runs["small"], runs["small"], wanted()).accepted


def test_margins_looks_alarms_and_guarded_tasks(runs: dict[str, Path]):
    def reasons(**changes: object) -> str:
        verdict = decide_round(runs["russian"], runs["small"], wanted(**changes.pop("loop", {})), **changes)
        return "; ".join(verdict.reasons)

    assert reasons() == ""
    assert "not above 1" in reasons(loop={"margin": 1.0})
    assert reasons(alarms=["letters fell"]) == "alarm at the end of training: letters fell"
    assert "at look 1000000000000000000" in reasons(looks=10**18)
    worse = decide_round(runs["small"], runs["russian"], wanted(guards=Guards(tasks={"small/score": 0.5})))
    assert any(one.name == "small/score" and not one.holds for one in worse.guards)
    assert "guard small/score: changed by -1.000, allowed is 0.5" in worse.reasons
    with pytest.raises(
        UsageError, match=r"field 'loop.accept': the runs have no 'smal' in common\. Did you mean 'small"
    ):
        decide_round(runs["russian"], runs["small"], wanted(accept="smal"))


def test_looks_at_the_same_prompts_share_one_level(runs: dict[str, Path]):
    """Whatever the number of rounds, a candidate that is no better is accepted at most once in twenty loops."""
    assert sum(level_of(look) for look in range(1, 10_000)) <= LEVEL
    verdict = decide_round(runs["russian"], runs["half"], wanted())
    assert verdict.accepted
    p_value = verdict.gain.p_value
    last = max(look for look in range(1, 10_000) if p_value <= level_of(look))
    assert decide_round(runs["russian"], runs["half"], wanted(), looks=last).accepted
    assert not decide_round(runs["russian"], runs["half"], wanted(), looks=last + 1).accepted


def test_answers_that_shrink_to_a_word_do_not_keep_their_length(bench: Path, tmp_path: Path, runs: dict[str, Path]):
    words = [f"море{letter}{other}" for letter in "абвгдежз" for other in "абвгдежз"][:60]
    verdict = decide_round(runs["russian"], replayed(bench, tmp_path / "word", words), wanted())
    assert [one.name for one in verdict.guards if not one.holds] == ["length"]


def test_examples_show_what_changed_most_first(runs: dict[str, Path]):
    found = examples(runs["russian"], runs["few"], "small", count=4)
    assert [(one["score_before"], one["score_after"]) for one in found] == [(0, 1)] * 3 + [(0, 0)]
    assert found[0]["before"].startswith("Море")
    assert found[0]["after"].startswith("море")
    assert "какого цвета море" in found[0]["prompt"]


def scripted(answers: list[str], reward: float) -> MetricsRow:
    """What a step's metrics say of answers: eight prompts with four answers each."""
    groups = [answers[start : start + 4] for start in range(0, 32, 4)]
    measures = monitors.measure(groups, [len(text) for text in answers[:32]])
    return MetricsRow(1, {"reward": reward, **measures})


def test_the_collapse_raises_the_alarm_while_the_reward_rises():
    """Small letters alone, no reference: the reward rises from 0.06 to 0.81 on foreign junk."""
    history: list[MetricsRow] = []
    raised = {}
    for step in range(15):
        junk = step * 3
        answers = [JUNK[n] if n < junk else RUSSIAN[n] for n in range(40)]
        history.append(scripted(answers, 0.06 + 0.05 * step))
        raised[step] = monitors.alarms(Alarms(), history)
    first = min(step for step, reasons in raised.items() if reasons)
    assert 1 < first <= 5
    assert raised[first][0].startswith("Cyrillic letters fell from 9")
    assert all(raised[step] for step in range(first, 15))


def test_honest_learning_raises_no_alarm():
    history = []
    for step in range(15):
        history.append(scripted([SMALL_RUSSIAN[n] if n < step * 3 else RUSSIAN[n] for n in range(40)], step / 15))
        assert monitors.alarms(Alarms(), history) == []


@pytest.mark.parametrize(
    ("answers", "alarm"),
    [
        (SAME, "different answers fell"),
        ([f"море {n} " * 40 for n in range(60)], "repetition within answers rose"),
        ([text * 9 for text in RUSSIAN], "answers went from"),
        (["", " "] * 30, "different answers fell"),
    ],
)
def test_other_ways_to_please_a_scorer_raise_alarms(answers: list[str], alarm: str):
    history = [scripted(RUSSIAN, 0.1), scripted(RUSSIAN, 0.1), scripted(answers, 0.9)]
    assert any(reason.startswith(alarm) for reason in monitors.alarms(Alarms(), history))


def test_an_alarm_that_is_null_is_not_watched():
    off = Alarms(cyrillic_drop=None, distinct_drop=None, repetition_rise=None, length_factor=None)
    assert monitors.alarms(off, [scripted(RUSSIAN, 0), scripted(RUSSIAN, 0), scripted(["a"] * 60, 1)]) == []
    history = [MetricsRow(1, {}), MetricsRow(2, {}), MetricsRow(3, {"kl": 2.0})]
    assert monitors.alarms(Alarms(kl_above=1.0), history) == ["divergence from the reference is 2 > 1"]
    assert monitors.measure([], []) == {}


def test_overlap_is_seen_through_case_and_punctuation():
    trained = {"a": "Реши задачу: ёж шёл в лес!", "b": " ".join(f"слово{n}" for n in range(20))}
    same = find_overlaps(trained, {"x": "реши задачу еж шел в лес", "y": "Другое."})
    assert [(one.trained, one.evaluated, one.shared) for one in same] == [("a", "x", "the whole prompt")]
    part = find_overlaps(trained, {"z": "Начало. " + " ".join(f"слово{n}" for n in range(4, 18))})
    assert part[0].trained == "b"
    assert part[0].shared.startswith("«слово4 слово5")
    assert find_overlaps(trained, {"z": "Иначе: " + " ".join(f"слово{n}" for n in range(4, 16))}) == []
    short = "во сколько раз 96 больше 12"
    inside = find_overlaps({"t": f"Реши: {short}? Ответь кратко."}, {"z": f"{short}?", "y": "Больше 12?"})
    assert [(one.trained, one.evaluated, one.shared) for one in inside] == [("t", "z", "the whole prompt")]
    frame = " ".join(f"рамка{n}" for n in range(15))
    assert find_overlaps({"t": f"{frame} один"}, {str(n): f"{frame} вопрос {n}" for n in range(5)}) == []


def test_an_overlap_stops_the_loop_before_anything_runs(bench: Path, tmp_path: Path):
    task = "small.py:small"
    prompts = {"small": {"task": task, "split": "test"}}
    recipe = write_recipe(bench, "overlap.yaml", prompts=prompts, loop={"tasks": [task], "accept": "small"})
    with pytest.raises(
        RunError, match=r"60 of 60 evaluation prompts overlap .* the whole prompt.*allow_overlap: true"
    ):
        loop(recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    dry = CliRunner().invoke(app, ["loop", str(recipe), "--dry-run"])
    assert isinstance(dry.exception, RunError)
    lines: list[str] = []
    allowed = Loop(tasks=(f"{bench}/{task}",), accept="small", allow_overlap=True)
    assert len(check_overlap(read_recipe(recipe), allowed, lines.append)) == 60
    assert lines[0].startswith("WARNING: 60 of 60")


def test_what_later_rounds_train_on_is_looked_for_too(bench: Path):
    (bench / "seeded.py").write_text(
        LOOP_PLUGIN.replace("{split} {n}:", "{split if seed < 2 else 'test'} {n}:") + "seeded = SmallLetters()\n",
        encoding="utf-8",
    )
    settings = {"prompts": {"small": {"task": "seeded.py:seeded"}}}
    for rounds in (2, 3):
        evaluated = {"tasks": ["small.py:small"], "accept": "small", "rounds": rounds, "allow_overlap": True}
        recipe = read_recipe(write_recipe(bench, "seeded.yaml", **settings, loop=evaluated))
        assert recipe.loop is not None
        assert len(check_overlap(recipe, recipe.loop)) == (60 if rounds == 3 else 0)


def test_the_packaged_demo_trains_on_nothing_that_it_is_judged_by():
    recipe = read_recipe("ruifeval-demo")
    assert recipe.loop is not None
    assert check_overlap(recipe, recipe.loop) == []


def test_the_loop_accepts_keeps_and_goes_on(bench: Path, tmp_path: Path):
    # Shown answers teach more surely than rewards: the share of ASCII rises by 0.24 or more (3 seeds), and of 60
    # answers a rise of 0.07 is significant.
    chats = [{"prompt": f"train {n}: какого цвета море?", "response": "the quick brown fox"} for n in range(4)]
    (bench / "ascii.jsonl").write_text("".join(json.dumps(chat) + "\n" for chat in chats), encoding="utf-8")
    settings = {
        "method": "sft", "chats": {"ascii": {"data": "ascii.jsonl"}}, "prompts": None, "rollouts": None,
        "steps": 10, "batch": {"examples": 4, "max_tokens": 12}, "objective": {},
        "optimizer": {"learning_rate": 5e-2, "micro_batch": 4},
        "loop": {
            "tasks": ["small.py:ascii_letters"], "accept": "ascii", "temperature": 1.0, "max_tokens": 12,
            "rounds": 2, "patience": 1,
            "guards": {"cyrillic": None, "distinct": None, "length": None, "tasks": {"ascii": 0.5}},
        },
    }  # fmt: skip
    recipe = write_recipe(bench, "loop.yaml", **settings)
    lines: list[str] = []
    result = loop(recipe, tmp_path, notify=lines.append)
    assert result.rounds[0]["accepted"], result.rounds[0]["reasons"]
    assert result.rounds[0]["gain"]["low"] > 0
    assert result.adapter == tmp_path / "adapter"
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {file.name for file in result.adapter.iterdir()}
    summary = orjson.loads((tmp_path / "loop.json").read_bytes())
    again = run(summary["model"], [f"{bench / 'small.py'}:ascii_letters"], output=tmp_path / "again", limit=2)
    assert (again / "results.json").is_file()
    page = write_learning([tmp_path], tmp_path).read_text(encoding="utf-8")
    assert "accepted" in page
    assert page.count('<p class="text asked">') == 10 * len(result.rounds)
    assert [one["name"] for one in result.rounds[0]["guards"]] == ["ascii"]
    before = [entry["round"] for entry in result.rounds]
    assert loop(recipe, tmp_path).rounds == result.rounds
    assert before == list(range(1, len(before) + 1))


def test_a_round_that_is_not_better_is_rolled_back(bench: Path, tmp_path: Path):
    recipe = write_recipe(
        bench, "hopeless.yaml", steps=1, prompts={"small": {"task": "small.py:small"}},
        optimizer={"learning_rate": 1e-9},
        loop={"tasks": ["small.py:small"], "accept": "small", "limit": 4, "max_tokens": 4, "patience": 1},
    )  # fmt: skip
    lines: list[str] = []
    result = loop(recipe, tmp_path, notify=lines.append)
    assert result.adapter is None
    assert len(result.rounds) == 1
    assert not (tmp_path / "adapter").exists()
    assert any(line.startswith("round 1: rolled back: small") for line in lines)
    # The command goes through what is done, draws it, and says by its exit code that nothing came of it.
    told = CliRunner().invoke(app, ["loop", str(recipe), "-o", str(tmp_path)])
    assert told.exit_code == 1, told.output
    assert f"report: {tmp_path / 'report.html'}" in told.output.replace("\n", "")
    assert "No round improved the model significantly" in (tmp_path / "report.html").read_text(encoding="utf-8")
    trained = CliRunner().invoke(app, ["train", str(recipe), "-o", str(tmp_path / "round-01" / "training")])
    assert trained.exit_code == 0, trained.output
    assert "steps: 1<" in (tmp_path / "round-01" / "training" / "report.html").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="this recipe has no 'loop'"):
        loop(write_recipe(bench, "none.yaml"), tmp_path / "none")


@pytest.mark.exhaustive
def test_the_documented_reward_and_recipe_run_at_toy_size(bench: Path, tmp_path: Path):
    import re

    import yaml

    page = (Path(__file__).parents[2] / "docs" / "train-with-my-own-reward.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "brief.py").write_text(code, encoding="utf-8")
    recipe, watched = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    del watched["alarms"]["watch"]["gold"]  # that judge is not here
    recipe |= watched
    recipe |= {"model": f"hf:{bench / 'model'},device=cpu", "steps": 2}
    recipe["rollouts"] |= {"groups": 2, "answers": 2, "max_tokens": 6}
    recipe["loop"] |= {"limit": 3, "max_tokens": 4, "rounds": 1}
    (tmp_path / "brief.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    result = loop(tmp_path / "brief.yaml", tmp_path / "out")
    assert len(result.rounds) == 1
    rows = journal_lines(tmp_path / "out" / "round-01" / "training")
    assert {"brief", "russian", "ruifeval-mini"} <= rows[0]["components"].keys()
    assert rows[0]["watched"]["russian-only"]["answers"] == 4 * rows[0]["waves"]
    assert "reward" in rows[-1]["canaries"]["now"]
