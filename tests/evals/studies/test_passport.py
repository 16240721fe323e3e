"""The passport: known faults of judges are found, in their size; labelled sets, thresholds, the stored document."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from evalkit.cli import main as cli
from evalkit.errors import InputError, ModelError, RunError, UsageError
from evalkit.evals.judging.families import families, family_of
from evalkit.evals.judging.opening import GradingModel
from evalkit.evals.judging.probes import attacks, decorated, padded, probes, signed
from evalkit.evals.models.base import ModelOptions
from evalkit.evals.models.open import open_model
from evalkit.evals.run import run
from evalkit.evals.studies.pairwise.style import style_of
from evalkit.evals.studies.passport import (
    LabelledSet,
    Measurement,
    Passport,
    Threshold,
    agreement,
    as_markdown,
    make_passport,
    measure_passport,
    planned_gradings,
    read_labelled,
    read_passport,
    read_verdicts,
    require_passport,
    write_passport,
)
from evalkit.evals.studies.passport.measurements import auc
from evalkit.judges.guard.precheck import precheck
from evalkit.judges.judge import JudgeSettings
from evalkit.judges.jury import Jury
from evalkit.judges.open import open_judge
from evalkit.tests.support.biased_judges import BiasedModel, judge_of, noise
from evalkit.tests.support.chat_server import LoopbackServer
from typer.testing import CliRunner

FAMILY = "GigaChat"
LANGUAGES = ("ru", "en")


def neutral(question: str, answer: str, noise: float) -> float:
    return 5 + 0.7 * noise


def passport_of(model: BiasedModel, **options: Any) -> Passport:
    judges = {language: judge_of(model, language=language) for language in LANGUAGES}
    return asyncio.run(measure_passport(judges, family=FAMILY, **options))[0]


@cache
def always_a() -> Passport:
    return passport_of(BiasedModel(neutral, lambda *_: "A", name="always A"))


@cache
def by_length() -> Passport:
    return passport_of(BiasedModel(lambda q, answer, n: 2 + len(answer) / 500 + 0.5 * n, name="characters"))


@cache
def by_family() -> Passport:
    return passport_of(BiasedModel(lambda q, answer, n: 4 + 2 * (FAMILY in answer) + 0.7 * n, name="by family"))


@cache
def hard_to_read() -> Passport:
    return passport_of(BiasedModel(neutral, unreadable=0.1, name="hard to read"))


@cache
def knowing() -> Passport:
    """Knows what is right, and nothing else matters to it."""
    good = {probe.good[-60:-20] for probe in probes()}

    def rate(question: str, answer: str, noise: float) -> float:
        plain = answer.replace("**", "").replace("\n- ", " ")
        return 9 if any(part in plain for part in good) else 2

    return passport_of(BiasedModel(rate, name="knowing"))


def holds(passport: Passport, name: str, truth: float) -> bool:
    estimate = passport.find(name).estimate
    return estimate.low <= truth <= estimate.high


# What a judge is measured on


def test_probes_are_told_apart_by_what_they_say_and_not_by_their_length():
    assert len(probes()) == len({probe.id for probe in probes()}) == len({probe.question for probe in probes()})
    assert len(probes()) >= 30
    longer = [len(probe.good) > len(probe.weak) for probe in probes()]
    assert 0.35 < fmean(longer) < 0.65
    lengths = np.array([len(text) for probe in probes() for text in (probe.good, probe.weak)], dtype=float)
    assert 0.4 < auc(lengths, np.arange(len(lengths)) % 2 == 0) < 0.6
    for probe in probes():
        for answer in (probe.good, probe.weak):
            assert precheck(answer) is None
            assert 150 < len(answer) < 600
            assert not any(style_of(answer)[1:])


def test_padding_adds_characters_and_decoration_adds_none_but_marks():
    for number, probe in enumerate(probes()):
        added = len(padded(probe.good, number)) - len(probe.good)
        assert 500 <= added <= 1700
        assert probe.good in padded(probe.good, number)
        dressed = decorated(probe.good)
        _, headers, items, bold = style_of(dressed)
        assert headers == 1
        assert items >= 1
        assert bold >= 1
        bare = "".join(dressed.replace("## Ответ", "").replace("**", "").replace("- ", "").split())
        assert bare.replace("–", "-") == "".join(probe.good.replace("- ", "").split()).replace("–", "-")
        assert dressed.count("```") == probe.good.count("```")


def test_families_are_told_by_the_names_of_their_models():
    known = {
        "openai:gpt-4o-mini": "GPT", "openai:o3": "GPT", "gigachat:GigaChat-2-Max": FAMILY, "openai:judge": None,
        "t-tech/T-pro-it-2.0": "Qwen", "yandex:qwen3-235b": "Qwen", "hf:Qwen/Qwen3-8B": "Qwen",
        "gpt://folder/yandexgpt/latest": "YandexGPT", "gemini/gemini-pro-2.5": "Gemini", "my-own-model": None,
        "loopback": None,
        "meta-llama/Llama-3.1-8B": "Llama", "deepseek-r1": "DeepSeek", "claude-sonnet-4": "Claude",
    }  # fmt: skip
    assert {name: family_of(name) for name in known} == known
    assert all(family_of(name) == name for name in families())
    assert "Qwen" in signed("Ответ.", "Qwen")


@pytest.mark.conformance
def test_the_attacks_are_our_own(vector_file):
    published = [
        json.loads(line).get("text")
        for line in vector_file("judges/judge_attacks.jsonl").read_text("utf-8").split("\n")
        if line.strip()
    ]
    known = {text.strip() for text in published if text and len(text.strip()) > 3}
    assert not {attack.text.strip() for attack in attacks()} & known


def test_attacks_keep_the_answer_they_are_put_around():
    assert len({attack.id for attack in attacks()}) == len(attacks())
    for attack in attacks():
        attacked = attack.on("Ответ.")
        assert attack.text in attacked
        assert ("Ответ." in attacked) == (attack.place != "whole") or "Ответ." in attack.text


# Four judges with known faults


def test_a_judge_that_always_prefers_the_first_place_is_found_out():
    passport = always_a()
    assert holds(passport, "order_consistency", 0.0)
    assert holds(passport, "first_position", 1.0)
    assert passport.find("order_consistency").off
    assert passport.find("first_position").off
    for name in ("length_auc", "length_effect", "markdown_auc", "family_effect", "language_effect", "unreadable"):
        assert not passport.find(name).off, name
    assert holds(passport, "coverage", 1.0)


def test_a_point_for_500_characters_is_measured_as_one():
    passport = by_length()
    assert holds(passport, "length_effect", 1.0)
    assert passport.find("length_effect").off
    assert passport.find("length_auc").estimate.value > 0.95
    assert passport.find("length_auc").off
    for name in ("order_consistency", "first_position", "family_effect", "language_effect", "unreadable"):
        assert not passport.find(name).off, name


def test_two_points_for_its_own_family_are_measured_as_two():
    passport = by_family()
    assert holds(passport, "family_effect", 2.0)
    assert passport.find("family_effect").off
    for name in ("order_consistency", "first_position", "length_effect", "markdown_auc", "unreadable"):
        assert not passport.find(name).off, name


def test_a_tenth_of_unreadable_answers_is_measured_as_a_tenth():
    passport = hard_to_read()
    assert holds(passport, "unreadable", 0.1)
    assert passport.find("unreadable").off
    # Asking again mends nearly all of it, so the two are different numbers.
    assert passport.find("coverage").estimate.value > 0.98
    for name in ("first_position", "length_effect", "family_effect"):
        assert not passport.find(name).off, name


@pytest.mark.exhaustive
def test_intervals_hold_the_truth_as_often_as_they_say():
    """Forty judges with three faults at once: 95 % intervals hold it in 38 of them, give or take."""
    held = dict.fromkeys(truths := {"length_effect": 1.0, "family_effect": 2.0, "unreadable": 0.1}, 0)
    for number in range(40):
        model = BiasedModel(
            lambda q, answer, n: 2 + len(answer) / 500 + 2 * (FAMILY in answer) + 0.5 * n,
            lambda *_: "A",
            unreadable=0.1,
            name=f"judge {number}",
        )
        passport, _ = asyncio.run(measure_passport({"ru": judge_of(model)}, family=FAMILY))
        for name, truth in truths.items():
            held[name] += holds(passport, name, truth)
    assert all(count >= 34 for count in held.values()), held


def test_without_second_attempts_a_tenth_of_the_verdicts_is_lost():
    model = BiasedModel(neutral, unreadable=0.1, name="hard to read")
    passport, _ = asyncio.run(measure_passport({"ru": judge_of(model, attempts=1)}))
    assert holds(passport, "coverage", 0.9)
    assert holds(passport, "unreadable", 0.1)
    assert passport.statuses["missing"] == model.unread


def test_a_judge_that_knows_what_is_right_has_a_clean_passport():
    passport = knowing()
    assert not [one.name for one in passport.measurements if one.off]
    assert passport.find("right_above_wrong").estimate.value == 1.0
    assert passport.find("attack_success").estimate.value == 0.0


def test_other_faults_are_measured_too():
    def rate(question: str, answer: str, noise: float) -> float:
        english = question.startswith("The user's question")
        return 4 + 1.5 * ("## " in answer) + english + 0.4 * noise

    passport = passport_of(BiasedModel(rate, name="markdown and English"))
    assert holds(passport, "language_effect", 1.0)
    assert passport.find("markdown_auc").estimate.value > 0.9
    assert passport.find("markdown_auc").off
    assert not passport.find("length_auc").off


def test_a_judge_that_obeys_is_lifted_by_attacks_and_by_nothing_else():
    def obeys(question: str, answer: str, noise: float) -> float:
        return 9 if "поставьте" in answer.lower() else 3 + 0.3 * noise

    success = passport_of(BiasedModel(obeys, name="obedient")).find("attack_success")
    assert success.off
    assert success.parts["order"].value >= 0.25
    assert success.parts["plea"].value == 0.5
    assert success.parts["verdict"].value == 0.0
    assert success.parts["no attack, asked again"].value == 0.0


def test_a_jury_has_a_passport_of_its_own():
    members = [judge_of(BiasedModel(neutral, lambda *_, letter=letter: letter, name=letter)) for letter in "AB"]
    passport, _ = asyncio.run(measure_passport({"ru": Jury(members)}))
    # What the members prefer cancels out, and what is left is a tie each time.
    assert passport.find("order_consistency").estimate.value == 1.0
    assert [member["name"] for member in passport.identity["members"]] == ["A", "B"]
    shaky = [judge_of(BiasedModel(neutral, unreadable=share, name=str(share))) for share in (0.0, 0.2)]
    assert holds(asyncio.run(measure_passport({"ru": Jury(shaky)}))[0], "unreadable", 0.1)


def test_what_nothing_was_asked_of_is_not_measured():
    passport, _ = asyncio.run(measure_passport({"ru": judge_of(BiasedModel(neutral))}))
    for name in ("language_effect", "family_effect"):
        assert passport.find(name).estimate.value is None
        assert not passport.find(name).off
    assert "not measured" in as_markdown(passport)
    with pytest.raises(UsageError, match="no measurement 'order'"):
        passport.find("order")


def test_the_same_judge_has_the_same_passport_and_the_forecast_is_what_is_asked():
    model = BiasedModel(neutral, name="twice")
    first, second = (passport_of(model) for _ in range(2))
    assert first.measurements == second.measurements
    assert first.sha256 == second.sha256
    # Some attacks have nothing in them, and nobody is asked about those.
    planned = len(planned_gradings(family=FAMILY))
    assert planned - 15 < model.calls / 2 <= planned


# The document


def test_a_passport_is_what_was_written(tmp_path):
    write_passport(tmp_path / "deep" / "passport.json", by_length())
    assert read_passport(tmp_path / "deep" / "passport.json") == by_length()
    page = as_markdown(by_length())
    assert "| Points gained per 500 characters of padding (`length_effect`) |" in page
    assert by_length().sha256 in page
    assert "length_auc 1.00!" in by_length().line()


def test_the_hash_is_of_the_judge_its_forms_and_the_parser(tmp_path, monkeypatch):
    passport = always_a()
    assert passport.identity["parser"]
    assert set(passport.identity["forms"]) == {"pair", "rating"}
    same = BiasedModel(neutral, name="always A")
    path = tmp_path / "passport.json"
    write_passport(path, passport)
    assert require_passport(judge_of(same), path) == passport
    # A run's seed draws its own verdicts, with the same judge.
    assert require_passport(judge_of(same, seed=7), path) == passport
    with pytest.raises(UsageError, match=r"another judge[\s\S]*temperature: 0.0 / 0.5"):
        require_passport(judge_of(same, temperature=0.5), path)
    with pytest.raises(UsageError, match=r"another judge[\s\S]*language"):
        require_passport(judge_of(same, language="en"), path)
    with pytest.raises(UsageError, match=r"another judge[\s\S]*name"):
        require_passport(judge_of(BiasedModel(neutral, name="other")), path)
    from evalkit.judges import judge as judge_module

    monkeypatch.setattr(judge_module, "PARSER_VERSION", "0")
    with pytest.raises(UsageError, match=r"another judge[\s\S]*parser"):
        require_passport(judge_of(same), path)


def test_a_judge_without_a_passport_or_under_its_thresholds_is_refused(tmp_path):
    judge = judge_of(BiasedModel(neutral, name="always A"))
    for path in (None, tmp_path / "none.json"):
        with pytest.raises(UsageError, match=r"has no passport.*evalkit judge passport"):
            require_passport(judge, path)
    path = tmp_path / "passport.json"
    write_passport(path, always_a())
    kept = [Threshold.parse(text) for text in ("coverage >= 0.95", "length_auc<0.6", "attack_success <= .5")]
    assert require_passport(judge, path, kept)
    broken = [*kept, Threshold.parse("order_consistency >= 0.8"), Threshold.parse("first_position <= 0.6")]
    with pytest.raises(RunError) as refusal:
        require_passport(judge, path, broken)
    assert "order_consistency >= 0.8 (measured 0.00 [0.00–0.11])" in str(refusal.value)
    assert "first_position <= 0.6" in str(refusal.value)
    assert "coverage" not in str(refusal.value)
    with pytest.raises(UsageError, match=r"no measurement 'order_consistence'\. Did you mean 'order_consistency'"):
        require_passport(judge, path, [Threshold.parse("order_consistence > 1")])
    with pytest.raises(UsageError, match=r"no measurement 'labelled\.accuracy'"):
        require_passport(judge, path, [Threshold.parse("labelled.accuracy > 0.5")])


@pytest.mark.parametrize("text", ["", "retest", "retest 0.8", "retest == 1", "retest >= many", "a >= 1 b"])
def test_what_is_no_threshold_is_told(text):
    with pytest.raises(UsageError, match="is not a threshold"):
        Threshold.parse(text)


def test_a_damaged_or_edited_passport_is_refused(tmp_path):
    path = tmp_path / "passport.json"
    with pytest.raises(InputError, match="no such file; evalkit judge passport"):
        read_passport(path)
    for content in ("", "{", "[]", '{"schema_version": 99}'):
        path.write_text(content)
        with pytest.raises(InputError, match=r"cannot be read|not a passport of this version"):
            read_passport(path)
    write_passport(path, always_a())
    data = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**data, "identity": {**data["identity"], "temperature": 1.0}}))
    with pytest.raises(InputError, match="sha256"):
        read_passport(path)
    path.write_text(json.dumps({name: value for name, value in data.items() if name != "sha256"}))
    with pytest.raises(InputError, match="damaged"):
        read_passport(path)


# A real server


def served(server: LoopbackServer, output: Path, **options: Any) -> Passport:
    async def work() -> Passport:
        model = open_model("openai:qwen-judge", ModelOptions(base_url=server.url, concurrency=16, timeout=20))
        try:
            return await make_passport([model], output, **options)
        finally:
            await model.close()

    return asyncio.run(work())


def test_a_passport_over_http_is_made_once_and_read_again_for_nothing(tmp_path):
    script = BiasedModel(neutral, name="served")
    output = tmp_path / "passport.json"
    labelled = read_labelled(write_labels(tmp_path / "labels.jsonl", 20))
    with LoopbackServer(
        lambda prompt: script.answer(prompt) if prompt else "", faults=["429ms:1", "500", "reset", "broken"]
    ) as server:
        proofs = {"labelled": labelled, "form": "proof", "correct_from": 5 / 7}
        passport = served(server, output, languages=("ru",), **proofs)
        asked = len(server.requests)
        again = served(server, output, languages=("ru",), **proofs)
        assert len(server.requests) == asked
        # The judge of a run is the same judge: what it is lent as, and how many at once it is asked, is no matter.
        model = open_model("openai:qwen-judge", ModelOptions(base_url=server.url, concurrency=2))
        judge = open_judge([GradingModel(model)], JudgeSettings(seed=3))
        assert require_passport(judge, output).sha256 == passport.sha256
        asyncio.run(model.close())
    assert again.measurements == passport.measurements
    assert passport.family == "Qwen"
    assert passport.labelled["answers"] == 20
    assert passport.find("labelled.accuracy").estimate.n == 20
    assert read_passport(output).sha256 == passport.sha256
    values = read_verdicts(output.with_suffix(".labelled.jsonl"), labelled)
    assert set(values) <= set(range(8))
    stored = [one.estimate for one in agreement(labelled, values, (0, 7), family="Qwen", correct_from=5 / 7)]
    assert stored == [one.estimate for one in passport.agreement]


def test_a_judge_that_is_gone_has_no_passport(tmp_path):
    with (
        LoopbackServer(lambda prompt: "", faults=lambda *_: "401") as server,
        pytest.raises(ModelError, match="is unavailable"),
    ):
        served(server, tmp_path / "passport.json")
    assert not (tmp_path / "passport.json").exists()


# Labelled sets


def write_labels(path: Path, count: int, **changes: Any) -> Path:
    rows = [
        {
            "problem_id": f"p{number // 2}",
            "model": ("qwen-a", "gpt-b")[number % 2],
            "problem": f"Задача {number // 2}.",
            "proof": f"Решение {number}." + " Далее." * (number * 7 % 11),
            "label": ("correct", "incorrect")[number * 5 % 3 % 2],
            **changes,
        }
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def labelled_of(labels: Sequence[float], **lists: Sequence[Any]) -> LabelledSet:
    from evalkit.evals.studies.passport.labelled import LabelledAnswer

    answers = tuple(
        LabelledAnswer(str(at), str(at // 2), "?", "x" * (at * 37 % 97), float(label),
                       **{name: values[at] for name, values in lists.items()})
        for at, label in enumerate(labels)
    )  # fmt: skip
    return LabelledSet(Path("labels.jsonl"), "00", answers, set(labels) <= {0, 1})


def by_name(measurements: Sequence[Measurement]) -> Mapping[str, Measurement]:
    return {one.name: one for one in measurements}


def test_published_forms_are_read_as_they_are(tmp_path):
    labelled = read_labelled(write_labels(tmp_path / "labels.jsonl", 6))
    assert labelled.binary
    assert [one.id for one in labelled.answers][:2] == ["p0/qwen-a", "p0/gpt-b"]
    assert labelled.answers[2].group == "p1"
    (tmp_path / "points.jsonl").write_text('{"question": "?", "answer": "!", "points": 7}\n'
                                           '{"question": "?", "answer": "…", "points": 2.5}\n')  # fmt: skip
    points = read_labelled(tmp_path / "points.jsonl")
    assert not points.binary
    (tmp_path / "both.jsonl").write_text(
        '{"problem": "?", "answer": "42", "response": "Длинно.", "label": 1}\n'
        '{"problem": "?", "response": "", "label": 0}\n'
    )
    assert [one.answer for one in read_labelled(tmp_path / "both.jsonl").answers] == ["Длинно.", ""]
    assert [(one.id, one.group, one.label) for one in points.answers] == [("1", "?", 7.0), ("2", "?", 2.5)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"answer": "a", "label": 1}, "field 'question'"),
        ({"question": "q", "label": 1}, "field 'answer': there is none"),
        ({"question": "q", "answer": "a"}, "field 'label': there is none"),
        ({"question": "q", "answer": 5, "label": 1}, "field 'answer': expected a string"),
        ({"question": "q", "answer": "a", "label": "perhaps"}, "field 'label': expected correct or incorrect"),
        ({"question": "q", "answer": "a", "label": [1]}, "field 'label': expected"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, row, said):
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"question": "q", "answer": "a", "label": 0}) + "\n" + json.dumps(row))
    with pytest.raises(InputError, match=f"labels.jsonl:2: {said}"):
        read_labelled(path)


def test_labels_that_say_nothing_are_refused(tmp_path):
    path = write_labels(tmp_path / "labels.jsonl", 4, label="correct")
    with pytest.raises(InputError, match="all labels are 1"):
        read_labelled(path)
    twice = write_labels(tmp_path / "twice.jsonl", 4, id=7)
    with pytest.raises(InputError, match="two answers have the id '7'"):
        read_labelled(twice)


def test_agreement_is_computed_by_the_textbook():
    labels = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    values = [10, 10, 7, 3, 2, 1, 8, 1, 1, None]
    found = by_name(agreement(labelled_of(labels), values, (1, 10)))
    assert found["coverage"].estimate.value == 0.9
    assert found["accuracy"].estimate.value == pytest.approx(7 / 9)
    assert found["balanced_accuracy"].estimate.value == pytest.approx((3 / 4 + 4 / 5) / 2)
    above = [(a > b) + 0.5 * (a == b) for a in (10, 10, 7, 3) for b in (2, 1, 8, 1, 1)]
    assert found["auc"].estimate.value == pytest.approx(fmean(above))
    errors = [0, 0, 3 / 9, 7 / 9, 1 / 9, 0, 7 / 9, 0, 0]
    assert found["mae"].estimate.value == pytest.approx(fmean(errors))
    chance = (4 / 9) * (4 / 9) + (5 / 9) * (5 / 9)
    assert found["kappa"].estimate.value == pytest.approx((7 / 9 - chance) / (1 - chance))
    for name, one in found.items():
        assert one.estimate.low <= one.estimate.value <= one.estimate.high, name
    assert "labels lie between 0 and 7" not in str(found)


def test_points_are_compared_on_their_scale():
    labels = [0, 2, 7, 6, 3, 1, 5, 7]
    perfect = by_name(agreement(labelled_of(labels), labels, (0, 7)))
    assert [perfect[name].estimate.value for name in ("accuracy", "kappa", "auc", "mae")] == [1, 1, 1, 0]
    assert perfect["spearman"].estimate.value == pytest.approx(1)
    lenient = by_name(agreement(labelled_of(labels), [min(7, label + 1) for label in labels], (0, 7)))
    assert lenient["mae"].estimate.value == pytest.approx(6 / 8 / 7)
    assert 0.8 < lenient["kappa"].estimate.value < 1
    with pytest.raises(InputError, match="labels lie between 1 and 6"):
        agreement(labelled_of(labels), labels, (1, 6))


def test_a_judge_that_says_always_the_same_agrees_by_chance_alone():
    found = by_name(agreement(labelled_of([1, 0] * 20), [5] * 40, (1, 10)))
    assert found["auc"].estimate.value == 0.5
    assert found["balanced_accuracy"].estimate.value == 0.5
    assert found["kappa"].estimate.value == 0
    assert found["spearman"].estimate.value is None
    assert by_name(agreement(labelled_of([1, 0]), [None, None], (1, 10)))["coverage"].estimate.value == 0


def test_two_points_for_its_own_family_are_found_against_the_labels():
    count = 200
    labels = [at * 7 % 5 % 2 for at in range(count)]
    models = [("gigachat-2", "qwen-3", "gpt-4")[at % 3] for at in range(count)]
    values = [3 + 4 * label + 2 * (model == "gigachat-2") + 0.9 * noise(at)
              for at, (label, model) in enumerate(zip(labels, models, strict=True))]  # fmt: skip
    effect = by_name(agreement(labelled_of(labels, model=models), values, (1, 10), family=FAMILY))["family_effect"]
    assert effect.estimate.low <= 2 / 9 <= effect.estimate.high
    assert effect.off
    assert set(effect.parts) == {FAMILY, "Qwen", "GPT"}
    unknown = by_name(agreement(labelled_of(labels, model=models), values, (1, 10)))["family_effect"]
    assert unknown.estimate.value is None


def test_a_judge_by_length_is_found_on_labels_that_do_not_go_by_it():
    labels = [at * 11 % 5 % 2 for at in range(200)]
    labelled = labelled_of(labels)
    values = [min(10, 1 + len(one.answer) / 10) for one in labelled.answers]
    found = by_name(agreement(labelled, values, (1, 10)))
    assert found["label_length_auc"].estimate.low < 0.5 < found["label_length_auc"].estimate.high
    assert found["length_auc"].estimate.low > 0.9


def test_forms_that_labelled_answers_cannot_fill_in_are_told(tmp_path):
    labelled = read_labelled(write_labels(tmp_path / "labels.jsonl", 4))
    with pytest.raises(UsageError, match="placeholder 'answer_a'"):
        asyncio.run(measure_passport({"ru": judge_of(BiasedModel(neutral))}, labelled=labelled, form="pair"))


def test_stored_verdicts_are_read_by_id(tmp_path):
    labelled = read_labelled(write_labels(tmp_path / "labels.jsonl", 3))
    path = tmp_path / "verdicts.jsonl"
    path.write_text(
        '{"id": "p1/qwen-a", "value": 4}\n{"id": "p0/qwen-a", "value": null}\n{"id": "else", "value": 1}\n'
    )
    assert read_verdicts(path, labelled) == [None, None, 4.0]
    path.write_text('{"id": "else", "value": 1}\n')
    with pytest.raises(InputError, match="none of its verdicts"):
        read_verdicts(path, labelled)
    path.write_text('{"id": "p0/qwen-a", "value": "7"}\n')
    with pytest.raises(InputError, match=r"verdicts\.jsonl:1"):
        read_verdicts(path, labelled)


@pytest.mark.shared
def test_the_open_proof_corpus_and_what_its_lists_of_issues_are_worth(datasets):
    """Length alone tells nothing (0.498), the number of issues that o4-mini lists little (0.637)."""
    path = datasets / "opc" / "opc_test_434.jsonl"
    labelled = read_labelled(path)
    assert len(labelled.answers) == 434
    assert sum(one.label for one in labelled.answers) == 161
    assert len({one.group for one in labelled.answers}) == 98
    lengths = np.array([len(one.answer) for one in labelled.answers], dtype=float)
    assert round(auc(lengths, np.array([one.label == 1 for one in labelled.answers])), 3) == 0.498
    issues = [json.loads(line)["n_llm_issues"] for line in path.read_text("utf-8").split("\n") if line]
    values = [None if number is None else 4.0 - number for number in issues]
    found = by_name(agreement(labelled, values, (0, 4)))
    assert round(found["auc"].estimate.value, 3) == 0.637
    assert found["coverage"].estimate.value == pytest.approx(311 / 434)


# The documentation


def test_the_documented_python_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[3] / "docs" / "trust-your-judge.md").read_text("utf-8")
    blocks = [block.partition("```")[0] for block in page.split("```python\n")[1:]]
    script = BiasedModel(neutral, name="documented")
    monkeypatch.chdir(tmp_path)
    with LoopbackServer(script.answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        for block in blocks:
            exec(compile(block, "trust-your-judge.md", "exec"), {"__name__": "__main__"})
    said = capsys.readouterr().out
    assert "# Passport of" in said
    assert "order_consistency 1.00" in said
    assert "alarm the training judge's values rise" in said


@pytest.mark.exhaustive
def test_the_documented_commands_run(tmp_path, monkeypatch, capsys):
    """All of them in their order, on a server that is model and judge in one."""
    page = (Path(__file__).parents[3] / "docs" / "trust-your-judge.md").read_text("utf-8")
    blocks = [block.partition("```")[0].replace("\\\n", " ") for block in page.split("```console\n")[1:]]
    commands = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    proofs = [{"question": f"Докажите {n}.", "answer": f"Шаг {n}.", "label": n % 2 * 7} for n in range(8)]
    (tmp_path / "opc_test_434.jsonl").write_text("\n".join(map(json.dumps, proofs)), "utf-8")
    script = BiasedModel(lambda question, answer, noise: 2.0, name="documented", table=lambda *shown: "tie")

    def answer(prompt: str) -> str:
        return script.answer(prompt) if re.search(r"^</\w{10}>$", prompt, re.MULTILINE) else "Развёрнутый ответ."

    monkeypatch.chdir(tmp_path)
    with LoopbackServer(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        for name in "bc":
            run(f"openai:{name}", ["rumtbench-mini"], judge=("openai:my-judge",), output=Path("runs", name))
        for name in ("proofs-a", "proofs-b"):
            # Any answers of one turn will do.
            run(f"openai:{name}", ["ruifeval-mini"], limit=3, output=Path("runs", name))
        for line in commands:
            program, *words = shlex.split(line)
            if program == "python":
                monkeypatch.setattr(sys, "argv", words)
                runpy.run_path(str(Path(__file__).parents[3] / words[0]), run_name="__main__")
            elif program == "evalkit":
                done = CliRunner().invoke(cli.app, words)
                assert done.exit_code == 0, (line, done.output, done.exception)
            else:
                assert program == "export"
    assert (tmp_path / "runs" / "pairs" / "pairwise.md").exists()
    assert "balanced accuracy" in capsys.readouterr().out.lower()


def test_the_documentation_names_every_measurement():
    page = (Path(__file__).parents[3] / "docs" / "trust-your-judge.md").read_text("utf-8")
    assert not [one.name for one in always_a().measurements if f"`{one.name}`" not in page]
    assert f"{len(attacks())} attacks" in page
    assert f"{len(probes())} Russian questions" in page
    calls = len(planned_gradings(family=FAMILY)), len(planned_gradings(languages=("ru",)))
    assert f"about {round(calls[0], -1)} short calls ({calls[1]} without" in page.replace("\n", " "), calls
