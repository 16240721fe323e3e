"""Are known faults of judges found, and in their size? Four scripted judges, many times over.

    python bench/passport.py --judges 40

Each judge has one fault and noise of its own; it is asked by the real forms, behind the real defences and parser.
The table shows the first judge of each kind, and in how many of them the 95 % interval holds the truth.
"""

from __future__ import annotations

import argparse
import asyncio

from evalkit.evals.studies.passport import Measurement, Passport, measure_passport
from evalkit.tests.support.biased_judges import BiasedModel, Prefer, Rate, judge_of

FAMILY = "GigaChat"


def neutral(question: str, answer: str, noise: float) -> float:
    return 5 + 0.7 * noise


def by_length(question: str, answer: str, noise: float) -> float:
    return 2 + len(answer) / 500 + 0.5 * noise


def by_family(question: str, answer: str, noise: float) -> float:
    return 4 + 2 * (FAMILY in answer) + 0.7 * noise


def always_a(first: str, second: str, noise: float) -> str:
    return "A"


FAULTS: list[tuple[str, Rate, Prefer | None, float, dict[str, float]]] = [
    ("always A", neutral, always_a, 0.0, {"order_consistency": 0.0, "first_position": 1.0}),
    ("+1 point for 500 characters", by_length, None, 0.0, {"length_effect": 1.0}),
    ("+2 points for its family", by_family, None, 0.0, {"family_effect": 2.0}),
    ("10 % of answers unreadable", neutral, None, 0.1, {"unreadable": 0.1}),
]


def passport_of(rate: Rate, prefer: Prefer | None, unreadable: float, name: str) -> Passport:
    model = BiasedModel(rate, prefer, unreadable=unreadable, name=name)
    return asyncio.run(measure_passport({"ru": judge_of(model)}, family=FAMILY))[0]


def holds(measurement: Measurement, truth: float) -> bool:
    estimate = measurement.estimate
    return estimate.low is not None and estimate.high is not None and estimate.low <= truth <= estimate.high


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judges", type=int, default=10, help="of each kind")
    count = parser.parse_args().judges
    print("| Judge | Measurement | Truth | Measured | 95 % | Intervals with it |\n|---|---|---|---|---|---|")
    for fault, rate, prefer, unreadable, truths in FAULTS:
        passports = [passport_of(rate, prefer, unreadable, f"{fault} {number}") for number in range(count)]
        for name, truth in truths.items():
            held = sum(holds(passport.find(name), truth) for passport in passports)
            first = passports[0].find(name).estimate
            bounds = f"{first.low:.3f} … {first.high:.3f}"
            print(f"| {fault} | `{name}` | {truth:g} | {first.value:.3f} | {bounds} | {held} of {count} |")


if __name__ == "__main__":
    main()
