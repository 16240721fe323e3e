"""Run directories made up for the tests of reports: the form of real ones, with text of our own."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.evals.engine.results import measure_metric
from evalkit.files import encode, write_json
from evalkit.tasks.types import Metric, Observation, Score, Status

THEMES = (
    "прогулку по осеннему парку", "первый полёт на дельтаплане", "устройство деревенской печи", "школьный концерт",
    "правила настольной игры «Башни»", "утро в рыбацком посёлке", "ремонт старого велосипеда", "поход за грибами",
    "ночной поезд через степь", "переезд в другой город", "как выбрать тёплую куртку", "сбор яблок в саду",
    "снежную бурю", "открытие маленькой пекарни", "разговор двух соседей", "поиски пропавшего ключа",
    "урок плавания", "кошку на подоконнике", "звёздное небо в горах", "письмо из экспедиции",
)  # fmt: skip
SENTENCES = (
    "Ветер тронул верхушки берёз, и по дорожке побежали золотые листья.",
    "Никто не ждал, что всё решится так быстро.",
    "Сначала проверьте, хорошо ли затянуты все винты.",
    "Вечером на кухне пахло корицей и свежим хлебом.",
    "Дети смеялись, а старый сторож делал вид, что сердится.",
    "Важно помнить: спешка здесь только мешает.",
    "За окном медленно проплывали огни далёких станций.",
    "Так прошёл первый день, и впереди было ещё шесть.",
    "На столе лежала карта с тремя отметками красным карандашом.",
    "Он пересчитал монеты и улыбнулся — хватало ровно на два билета.",
)
INSTRUCTIONS = {
    "length_constraints:number_words": ("не меньше 120 слов", "96 слов, требуется не меньше 120"),
    "keywords:existence": ("со словами «ветер» и «дорога»", "нет слова «дорога»"),
    "punctuation:no_comma": ("без запятых", "запятых: 7, не должно быть ни одной"),
    "detectable_format:number_bullet_lists": ("с тремя пунктами списка", "пунктов списка: 2, требуется ровно 3"),
    "detectable_format:title": ("с заголовком в двойных угловых скобках", "заголовка вида <<…>> нет"),
    "change_case:russian_lowercase": ("только строчными буквами", "есть прописные буквы: «В», «Н»"),
    "startend:end_checker": ("с последней фразой «Вот и всё.»", "ответ кончается иначе: «…ещё шесть.»"),
    "keywords:forbidden_words": ("без слова «снег»", "есть запрещённое слово «снег»"),
}


def _prompt(kind: str) -> Metric:
    return Metric(
        f"prompt_{kind}", lambda score: [Observation(float(score.parts[f"prompt_{kind}"]))], f"Prompt level, {kind}"
    )


def _instruction(kind: str) -> Metric:
    def observe(score: Score) -> Iterable[Observation]:
        for one in score.parts["instructions"]:
            yield Observation(one[kind], {"group": one["id"].split(":")[0], "instruction": one["id"]})

    return Metric(f"instruction_{kind}", observe, f"Instruction level, {kind}")


METRICS = (_prompt("strict"), _instruction("strict"), _prompt("loose"), _instruction("loose"))


def sample_rows(
    count: int, *, skill: float, seed: int, sentences: tuple[int, int] = (3, 12)
) -> list[dict[str, Any]]:
    """Answers of one made-up model; the prompts are the same for any ``skill`` and ``seed``."""
    asking, answering = random.Random(0), random.Random(seed)
    rows = []
    for index in range(count):
        ids = asking.sample(sorted(INSTRUCTIONS), asking.randint(1, 3))
        wanted = ", ".join(INSTRUCTIONS[name][0] for name in ids)
        prompt = f"Опишите {THEMES[index % len(THEMES)]}: {wanted}."
        verdicts = []
        for name in ids:
            strict = answering.random() < skill
            loose = strict or answering.random() < 0.15
            verdicts.append(
                {"id": name, "strict": strict, "loose": loose, "reason": "" if strict else INSTRUCTIONS[name][1]}
            )
        text = " ".join(answering.choice(SENTENCES) for _ in range(answering.randint(*sentences)))
        cut_off = answering.random() < 0.06
        rows.append(
            sample_row(
                str(1000 + index),
                prompt,
                text,
                verdicts,
                status=Status.TRUNCATED if cut_off else Status.OK,
                latency=round(answering.uniform(0.4, 9.0), 3),
                metadata={"instruction_id_list": ids, "kwargs": [{} for _ in ids]},
            )
        )
    return rows


def sample_row(
    id: str,
    prompt: str,
    text: str,
    verdicts: Sequence[Mapping[str, Any]],
    *,
    status: Status = Status.OK,
    latency: float = 1.0,
    metadata: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One line of ``samples.jsonl`` of the task ruifeval."""
    strict = [bool(one["strict"]) for one in verdicts]
    return {
        "task": "ruifeval",
        "id": id,
        "epoch": 0,
        "messages": [{"role": "user", "content": prompt}],
        "completion": {
            "text": text,
            "reasoning": None,
            "finish_reason": "length" if status is Status.TRUNCATED else "stop",
            "turns": [],
        },
        "score": {
            "value": sum(strict) / max(len(strict), 1),
            "status": status.value,
            "parts": {
                "prompt_strict": all(strict),
                "prompt_loose": all(one["loose"] for one in verdicts),
                "instructions": list(verdicts),
            },
            "explanation": "",
        },
        "usage": {"prompt_tokens": len(prompt) // 3, "completion_tokens": len(text) // 3},
        "timing": {"latency": latency, "scored_s": 0.004},
        "metadata": metadata or {},
    }


def rated_rows(ratings: Sequence[int]) -> list[dict[str, Any]]:
    """Lines of ``samples.jsonl`` of the task rumtbench, which a judge grades: one turn each, rated so."""
    return [
        sample_row(str(100 + at), f"Объясните: {THEMES[at % len(THEMES)]}.", SENTENCES[at % len(SENTENCES)], [])
        | {"task": "rumtbench", "score": _rated(rating)}
        for at, rating in enumerate(ratings)
    ]


def _rated(rating: int) -> dict[str, Any]:
    said = {"judge": "openai:judge", "value": rating, "words": f"Ясно, но кратко. [[{rating}]]"}
    turn = {"rating": rating, "status": "ok", "judge": said}
    return {
        "value": (rating - 1) / 9,
        "status": "ok",
        "parts": {"category": "coding", "turns": [turn]},
        "explanation": "",
    }


def failed_row(row: Mapping[str, Any], explanation: str) -> dict[str, Any]:
    """The same line for a server that did not answer."""
    score: dict[str, Any] = {"value": None, "status": "api_error", "parts": {}, "explanation": explanation}
    return {**row, "completion": None, "score": score, "usage": None, "timing": {"latency": None, "scored_s": 0.0}}


def build_run(
    directory: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    model: str,
    finished: bool = True,
    title: str = "ruIFEval",
    settings: Mapping[str, Any] | None = None,
    sha256: str = "5d1c" * 16,
    version: str = "1.0",
    metrics: Sequence[Metric] = METRICS,
    manifest: Mapping[str, Any] | None = None,
    cost: Mapping[str, Any] | None = None,
    canaries: Mapping[str, Any] | None = None,
) -> Path:
    """Write a run directory as `evalkit run` leaves it, and return it."""
    directory.mkdir(parents=True)
    task = str(rows[0]["task"])
    spec = {
        "model": model, "tasks": [task], "data": {}, "limit": len(rows), "epochs": 1, "seed": 0, "temperature": 0.0,
        "top_p": None, "max_tokens": None, **(settings or {}),
    }  # fmt: skip
    planned = {
        "name": task, "registered_as": task, "version": version, "title": title, "samples": len(rows),
        "data": {"path": None, "sha256": sha256},
    }  # fmt: skip
    described = {
        "schema_version": 1,
        "name": directory.name,
        "evalkit": "0.1.0",
        "spec": spec,
        "model": {"name": model, "sha256": "ab12" * 16, "engine": "llama.cpp"},
        "tasks": [planned],
        "price": None,
        "command": f"evalkit run --model {model} --tasks {task} --limit {len(rows)}",
        "packages": {"evalkit-ru": "0.1.0", "numpy": "2.4.6"},
        "git": {"commit": "0f" * 20, "modified": False},
        "hardware": {"machine": "x86_64", "system": "Linux", "cores": 2},
        "python": "3.12.1",
        "started": "2026-11-20T09:15:02+00:00",
        "finished": "2026-11-20T09:21:44+00:00" if finished else None,
        **(manifest or {}),
    }
    write_json(directory / "manifest.json", described)
    (directory / "samples.jsonl").write_bytes(b"".join(encode(row) + b"\n" for row in rows))
    results = _results(rows, described, planned, metrics, cost)
    write_json(directory / "results.json", results | {"judging": {"canaries": canaries} if canaries else None})
    return directory


def _results(
    rows: Sequence[Mapping[str, Any]],
    manifest: Mapping[str, Any],
    planned: Mapping[str, Any],
    metrics: Sequence[Metric],
    cost: Mapping[str, Any] | None,
) -> dict[str, Any]:
    scores = [(row["id"], Score.from_json(row["score"])) for row in rows]
    scored = sum(score.value is not None for _, score in scores)
    statuses = [score.status.value for _, score in scores]
    return {
        "schema_version": 1,
        "name": manifest["name"],
        "model": manifest["model"]["name"],
        "complete": manifest["finished"] is not None and scored == len(rows),
        "tasks": [
            {
                "task": planned["name"],
                "version": planned["version"],
                "title": planned["title"],
                "samples": len(rows),
                "answered": len(rows),
                "scored": scored,
                "coverage": scored / len(rows),
                "statuses": {status: statuses.count(status) for status in sorted(set(statuses))},
                "metrics": [measure_metric(metric, scores) for metric in metrics],
                "usage": {
                    field: sum((row["usage"] or {}).get(field) or 0 for row in rows)
                    for field in ("prompt_tokens", "completion_tokens")
                },
                "cost": cost,
                "seconds": sum(row["timing"]["latency"] or 0.0 for row in rows),
            }
        ],
    }
