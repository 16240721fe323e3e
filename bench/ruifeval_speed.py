"""How fast ruIFEval answers are scored (strict and loose), beside the same rules without sharing any work.

    python bench/ruifeval_speed.py [PROMPTS RESPONSES]

Without files it scores text that it makes itself for the shipped prompts. Each way runs in a fresh process, cold:
dictionaries and models are opened first, no word has been analysed. The unshared way is the published scorer's
work: every keyword lemmatises the answer again, word by word, for the strict verdict and for each reading of
loose scoring up to the first that passes.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from evalkit.tasks.records import read_records
from evalkit.tasks.ruifeval import ruifeval, ruifeval_mini, sentences
from evalkit.tasks.ruifeval.fixes import NO_FIXES
from evalkit.tasks.ruifeval.instructions import check
from evalkit.tasks.ruifeval.lemmas import morphology
from evalkit.tasks.ruifeval.text import Text
from evalkit.tasks.text import identification as lid
from evalkit.tasks.types import Completion, Context, Sample

PUBLISHED = Path(__file__).parents[2] / "shared" / "datasets" / "ruifeval"
SEPARATORS = re.compile(r"[A-Za-z0-9!#$%&'()*+,./:;<=>?@\[\]^_`{|}~—\"\-]+")

Answers = list[tuple[Sample, str]]


def published_answers(prompts: Path, responses: Path) -> Answers:
    samples = {sample.prompt: sample for sample in ruifeval.read(prompts)}
    return [(samples[row["prompt"]], row["response"]) for row in read_records(responses)]


def made_answers() -> Answers:
    """Answers of 50 to 250 words, drawn from the words of the shipped prompts."""
    dice = random.Random(0)
    samples = list(ruifeval_mini.samples(split="test", limit=None, seed=0))
    words = [word for sample in samples for word in sample.prompt.split()]
    return [(sample, made_text(words, dice)) for sample in samples]


def made_text(words: list[str], dice: random.Random) -> str:
    lines = []
    for _ in range(dice.randint(5, 15)):
        line = " ".join(dice.choices(words, k=dice.randint(10, 17)))
        lines.append(dice.choice(("", "* ", "**")) + line + dice.choice((".", "!", "", "**")))
    return "\n".join(lines)


def score_shared(answers: Answers) -> list[list[tuple[bool, bool]]]:
    verdicts = []
    for sample, answer in answers:
        score = ruifeval.score(sample, Completion(answer), Context())
        verdicts.append([(part["strict"], part["loose"]) for part in score.parts["instructions"]])
    return verdicts


def score_unshared(answers: Answers) -> list[list[tuple[bool, bool]]]:
    return [[both(rule, answer) for rule in sample.metadata["instructions"]] for sample, answer in answers]


def both(rule: dict[str, Any], answer: str) -> tuple[bool, bool]:
    lines = answer.split("\n")
    shortened = ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    readings = [answer, answer.replace("*", ""), *shortened, *(text.replace("*", "") for text in shortened)]
    return followed(rule, answer), any(followed(rule, reading) for reading in readings)


def followed(rule: dict[str, Any], answer: str) -> bool:
    """One rule on one reading, nothing remembered: keywords afresh, all else on a `Text` of its own."""
    kwargs = rule["kwargs"]
    if not answer.strip():
        return False
    match rule["id"]:
        case "keywords:existence":
            return all(re.search(lemmas(word), lemmas(answer), re.IGNORECASE) for word in kwargs["keywords"])
        case "keywords:forbidden_words":
            return not any(
                re.search(rf"\b{lemmas(word)}\b", lemmas(answer), re.IGNORECASE)
                for word in kwargs["forbidden_words"]
            )
        case "keywords:frequency":
            count = len(re.findall(lemmas(kwargs["keyword"]), lemmas(answer), re.IGNORECASE))
            less: bool = count < kwargs["frequency"]
            return less if kwargs["relation"] == "less than" else not less
    return check(rule["id"], kwargs, Text(answer)).followed


def lemmas(text: str) -> str:
    return " ".join(morphology().normal_forms(token)[0] for token in SEPARATORS.sub(" ", text).split())


def warm_up() -> None:
    """Open what every process opens once, whichever way it scores."""
    morphology().normal_forms("слово")
    lid.identify("a word")
    sentences.count_sentences("Слово. Ещё слово.", NO_FIXES)


def measure(way: str, files: list[Path]) -> None:
    answers = published_answers(*files) if files else made_answers()
    warm_up()
    begun = time.process_time()
    verdicts = (score_shared if way == "shared" else score_unshared)(answers)
    seconds = time.process_time() - begun
    print(json.dumps({"seconds": seconds, "answers": len(answers), "verdicts": verdicts}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, help="the published prompts and the answers to them")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way; the best counts")
    parser.add_argument("--way", choices=("shared", "unshared"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    files = arguments.files
    if len(files) not in (0, 2):
        parser.error("give both files or none")
    if arguments.way:
        measure(arguments.way, files)
        return
    if not files and PUBLISHED.is_dir():
        files = [PUBLISHED / "ruIFEval_v0.1.jsonl", PUBLISHED / "response_gemini_pro_v0.1.jsonl"]
    print(f"{platform.machine()}, Python {platform.python_version()}; {files[1].name if files else 'made text'}")
    print("| way | CPU s | answers per CPU s |\n| --- | --- | --- |")
    best = {}
    for way in ("unshared", "shared"):
        runs = [run(way, files) for _ in range(arguments.repeat)]
        best[way] = min(runs, key=lambda result: result["seconds"])
        seconds, count = best[way]["seconds"], best[way]["answers"]
        print(f"| {way} | {seconds:.2f} | {count / seconds:.0f} |")
    if best["shared"]["verdicts"] != best["unshared"]["verdicts"]:
        raise SystemExit("the two ways give different verdicts")
    print(f"same verdicts, {best['unshared']['seconds'] / best['shared']['seconds']:.1f} times as fast")


def run(way: str, files: list[Path]) -> dict[str, Any]:
    command = [sys.executable, __file__, "--way", way, *map(str, files)]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


if __name__ == "__main__":
    main()
