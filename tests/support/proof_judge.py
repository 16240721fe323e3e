"""A judge of proofs as a script: it writes the verdict lines that the forms ask for, nonce included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalkit.tests.support.scripted import ScriptedJudge, Verdict, verdict, verdict_asked_for

NAMES = {
    "correctness": "корректность",
    "completeness": "полнота",
    "rigour": "строгость",
    "structure": "структура",
    "cases": "разбор_случаев",
    "final_answer": "итоговый_ответ",
}
TITLES = {name: title.replace("_", " ").capitalize() for name, title in NAMES.items()}


def words(prompt: str, points: object = 6, percent: object = 80, same: int = 1) -> str | None:
    """Return what the judge writes; None if the prompt is no form for proofs."""
    said = {
        **dict.fromkeys(("Баллы", "Points"), points),
        **dict.fromkeys(("Критерии", "Criteria"), percent),
        **dict.fromkeys(("Совпадение", "Agreement"), same),
    }
    asked = verdict_asked_for(prompt)
    return verdict(prompt, said[asked], "В решении всё по делу.") if asked in said else None


def grader(
    points: Sequence[Verdict] = (7,),
    percent: Verdict | Mapping[str, float | None] = 90,
    same: Verdict = 1,
    name: str = "grader",
) -> ScriptedJudge:
    """A judge of proofs: ``points`` by draw (the last one repeats), percentages, whether answers agree."""
    if isinstance(percent, Mapping):
        shares = {name: "—" if share is None else f"{share}%" for name, share in percent.items()}
        percent = {TITLES[name]: share for name, share in shares.items()}

    def said(form: str, fields: Mapping[str, str], draw: int) -> Verdict:
        if form == "proof-final-answer":
            return same
        return percent if form.startswith("proof-criteria") else points[min(draw, len(points) - 1)]

    # The solutions of tests are too short to be worth a judge's time.
    return ScriptedJudge(said, name=name, defences=False)
