"""What a run's settings are on disk: names and bytes that runs made before still have."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from evalkit.errors import UsageError
from evalkit.evals.records.manifest import shell_command
from evalkit.evals.records.spec import RunSpec
from evalkit.judges.spec import JudgeSpec

ALONE: dict[str, Any] = {"model": "openai:m", "tasks": ("rumtbench-mini",)}
JUDGED = {
    **ALONE,
    "judge": ("openai:j",),
    "judge_base_url": "http://localhost:8000/v1",
    "judge_options": {"temperature": "0.30", "schema": "off"},
}
BY_A_JURY: dict[str, Any] = {
    "model": "hf:/models/Qwen", "tasks": ("rumtbench-mini", "imo-proof"), "judge": ["openai:one", "openai:two"],
    "judge_language": "en", "jury_rule": "median", "seed": 7, "temperature": 0.5, "limit": 3,
    "judge_options": {"quorum": "1", "escalate_above": 3, "defences": "no"},
}  # fmt: skip
ADDRESS_ONLY = {**ALONE, "judge_base_url": "http://x", "judge_language": "en", "jury_rule": "min"}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (ALONE, "openai-m-rumtbench-mini-24b8b7e9"),
        (JUDGED, "openai-m-rumtbench-mini-ee28ce5c"),
        (BY_A_JURY, "Qwen-rumtbench-mini-imo-proof-70873b97"),
        (ADDRESS_ONLY, "openai-m-rumtbench-mini-1df3094d"),
    ],
)
def test_a_run_finds_the_folder_that_it_had(settings: dict[str, Any], name: str) -> None:
    """Names that runs got when the judge was five settings of a spec."""
    spec = RunSpec.of(**settings)
    assert spec.default_name() == name
    again = RunSpec.of(**orjson.loads(spec.model_dump_json()))
    assert again == spec
    assert again.default_name() == name


def test_a_manifest_has_the_settings_side_by_side() -> None:
    assert RunSpec.of(**JUDGED).model_dump_json() == (
        '{"model":"openai:m","tasks":["rumtbench-mini"],"data":{},"base_url":null,"limit":null,"epochs":1,'
        '"solver":"single","judge":["openai:j"],"judge_base_url":"http://localhost:8000/v1","judge_language":"ru",'
        '"jury_rule":"mean","judge_options":{"temperature":0.3,"schema":"off"},"seed":0,"temperature":null,'
        '"top_p":null,"max_tokens":null,"shard":null}'
    )


def test_the_command_says_what_is_not_the_default() -> None:
    assert shell_command(RunSpec.of(**ALONE)) == "evalkit run --model openai:m --tasks rumtbench-mini"
    assert shell_command(RunSpec.of(**BY_A_JURY)) == (
        "evalkit run --model hf:/models/Qwen --tasks rumtbench-mini,imo-proof --limit 3 --judge openai:one"
        " --judge openai:two --judge-language en --jury-rule median --judge-option quorum=1"
        " --judge-option escalate_above=3.0 --judge-option defences=False --seed 7 --temperature 0.5"
    )


def test_a_judge_is_one_value_or_settings() -> None:
    judge = JudgeSpec(
        models=("openai:j",),
        base_url="http://localhost:8000/v1",
        options={"temperature": 0.3, "schema": "off"},
    )
    assert RunSpec.of(**ALONE, judge=judge) == RunSpec.of(**JUDGED)
    assert RunSpec.of(**JUDGED).judge == judge
    with pytest.raises(UsageError, match=r"^--judge-language: Extra inputs are not permitted, got 'en'$"):
        RunSpec.of(**ALONE, judge=judge, judge_language="en")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"judge_language": "de"}, "--judge-language: Input should be 'ru' or 'en', got 'de'"),
        ({"jury_rule": "max"}, "--jury-rule: Input should be 'mean', 'median', 'min' or 'majority', got 'max'"),
        ({"judge": 5}, "--judge: Input should be a valid tuple, got 5"),
        ({"judge": (1,)}, "--judge.0: Input should be a valid string, got 1"),
        ({"judge_base_url": 3}, "--judge-base-url: Input should be a valid string, got 3"),
        ({"judge_options": 3}, "--judge-options: Input should be a valid dictionary, got 3"),
        ({"judge_option": {}}, "--judge-option: Extra inputs are not permitted, got {}"),
        ({"models": ("openai:j",)}, "--models: Extra inputs are not permitted, got ('openai:j',)"),
        ({"temperature": -1}, "--temperature: Input should be greater than or equal to 0, got -1"),
    ],
)
def test_a_wrong_setting_is_named_as_the_option_is(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as refused:
        RunSpec.of(**ALONE, **settings)
    assert str(refused.value) == told
