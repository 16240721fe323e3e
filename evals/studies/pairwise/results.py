"""From decided battles to standings: win rates, Bradley-Terry ratings at equal style, the table of criteria."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ....judges.pairwise import TABLE_CRITERIA, shown_first
from ...statistics import BradleyTerry, Estimate, bradley_terry, mean_interval, style_difference
from .battle_rows import DecidedBattle
from .style import STYLE

RIDGE: Final = 0.1
"""The prior of ratings that would be infinite, as of a model that won every battle."""

CRITERIA_TITLES: Final[Mapping[str, str]] = {
    "корректность": "Correctness",
    "итоговый_ответ": "Final answer",
    "разбор_случаев": "Case coverage",
    "строгость": "Rigour",
    "структура": "Structure",
    "стиль": "Style",
}

_POINTS: Final[Mapping[str | None, float]] = {"first": 1.0, "tie": 0.5, "second": 0.0}
_COUNTS: Final = {"wins": "first", "ties": "tie", "losses": "second"}


def summarize_battles(
    rows: Sequence[DecidedBattle],
    unfair: Sequence[str],
    *,
    table: bool = False,
) -> dict[str, Any]:
    """Return the results of battles as JSON values.

    ``coverage`` is the share of battles with a verdict: those without one are no ties, they are left out.
    ``order_consistency`` and ``first_position`` measure position bias: the share of battles
    in which both orders agree, and of decided games that went to the answer shown first (0.5 when the place does
    not matter). Each of ``pairs`` has a ``win_rate`` of its first model (ties half), clustered by question, and
    ``distinguishable``: whether its interval leaves out one half. ``ratings`` are on the Elo scale with mean 1000,
    as they come and at equal style, with intervals clustered by question. ``winner`` is the model that is
    distinguishably better than every other one; None where there is none, or where ``unfair`` says why nobody can
    be.
    """
    scored = [row for row in rows if row.winner is not None]
    pairs = [_pair(names, some) for names, some in _by_pair(scored).items()]
    results: dict[str, Any] = {
        "banner": list(unfair),
        "battles": len(rows),
        "scored": len(scored),
        "coverage": len(scored) / len(rows) if rows else None,
        "statuses": dict(sorted(Counter(row.status for row in rows).items())),
        "order_consistency": _order_consistency(scored),
        "first_position": _first_position(scored),
        "pairs": pairs,
        **_ratings(scored),
        "criteria": [
            {"criterion": name, "title": CRITERIA_TITLES[name], "pairs": _by_criterion(scored, name)}
            for name in (TABLE_CRITERIA if table else ())
        ],
    }
    return {**results, "winner": None if unfair else _best(pairs)}


def as_markdown(results: Mapping[str, Any]) -> str:
    """Return the results as a page of markdown; under a banner it names no winner."""
    lines = [f"# Pairwise comparison, judged by {results['judge']['name']}", ""]
    if results["banner"]:
        lines += ["> **The settings of these runs differ: the results do not show which model is better.**", ">"]
        lines += [f"> - {reason}" for reason in results["banner"]] + [""]
    elif results["winner"]:
        lines += [f"Winner: **{results['winner']}**", ""]
    else:
        lines += ["No model is significantly better than all others.", ""]
    lines += [f"Caution: {caution}.\n" for caution in results["cautions"]]
    lines += [
        f"- Verdicts: {results['scored']} of {results['battles']} comparisons ({_statuses(results['statuses'])})",
        f"- Same verdict in both orders: {_percent(results['order_consistency'])}",
        f"- Judgements won by the first answer (50 % without position bias): {_percent(results['first_position'])}",
        "",
        *_grid(
            ("Pair", "Wins", "Ties", "Losses", "Win rate", "Significant"),
            [
                (
                    f"{pair['first']} / {pair['second']}",
                    pair["wins"],
                    pair["ties"],
                    pair["losses"],
                    _percent(pair["win_rate"]),
                    "yes" if pair["distinguishable"] else "no",
                )
                for pair in results["pairs"]
            ],
        ),
    ]
    if results["ratings"]:
        lines += _grid(
            ("Model", "Elo", "Elo, style-controlled"),
            [(one["model"], _number(one["elo"]), _number(one["elo_style"])) for one in results["ratings"]],
        )
        lines += [f"{note}.\n" for note in results["notes"]]
    if results["criteria"]:
        lines += [f"Overall: {results['rule']}.", ""]
        lines += _criteria_grid(results)
    return "\n".join(lines)


def _by_pair(rows: Sequence[DecidedBattle]) -> dict[tuple[str, str], list[DecidedBattle]]:
    found: dict[tuple[str, str], list[DecidedBattle]] = {}
    for row in rows:
        found.setdefault((row.first, row.second), []).append(row)
    return found


def _share(rows: Sequence[DecidedBattle], value: Callable[[DecidedBattle], float]) -> Estimate:
    return mean_interval([value(row) for row in rows], [row.question for row in rows])


def _pair(names: tuple[str, str], rows: Sequence[DecidedBattle]) -> dict[str, Any]:
    counts: Counter[str | None] = Counter(row.winner for row in rows)
    rate = _share(rows, lambda row: _POINTS[row.winner])
    return {
        "first": names[0],
        "second": names[1],
        **{name: counts[winner] for name, winner in _COUNTS.items()},
        "win_rate": rate.as_json(),
        "distinguishable": rate.low is not None and rate.high is not None and not rate.low <= 0.5 <= rate.high,
    }


def _by_criterion(rows: Sequence[DecidedBattle], criterion: str) -> list[dict[str, Any]]:
    pairs = []
    for names, some in _by_pair(rows).items():
        judged = [replace(row, winner=row.criteria[criterion]) for row in some if criterion in row.criteria]
        pair = _pair(names, judged)
        ahead = pair["wins"] - pair["losses"]
        pairs.append(pair | {"ahead": names[0 if ahead > 0 else 1] if ahead else None})
    return pairs


def _order_consistency(rows: Sequence[DecidedBattle]) -> dict[str, Any]:
    asked = [row for row in rows if row.consistent is not None]
    return _share(asked, lambda row: float(bool(row.consistent))).as_json()


def _first_position(rows: Sequence[DecidedBattle]) -> dict[str, Any]:
    found = [
        (float(first), row.question) for row in rows for first in shown_first([game.winner for game in row.games])
    ]
    return mean_interval([value for value, _ in found], [question for _, question in found]).as_json()


def _ratings(rows: Sequence[DecidedBattle]) -> dict[str, Any]:
    """Fit the ratings twice: as they come, and with the style of the answers taken out."""
    nothing: dict[str, Any] = {"ratings": [], "style": [], "notes": []}
    if not rows:
        return nothing
    notes: list[str] = []
    plain = _fit(rows, None, notes)
    dressed = [row for row in rows if row.style is not None]
    styles = [row.style for row in rows if row.style is not None]
    difference = style_difference([first for first, _ in styles], [second for _, second in styles])
    varying = [column for column in range(len(STYLE)) if difference[:, column].any()]
    styled = _fit(dressed, difference[:, varying], notes) if varying else plain
    elo, elo_style = plain.elo(), styled.elo()
    order = sorted(range(len(plain.names)), key=lambda at: -(elo[at].value or 0.0))
    names = [list(STYLE)[column] for column in varying]
    return {
        "ratings": [
            {"model": plain.names[at], "elo": elo[at].as_json(), "elo_style": elo_style[at].as_json()}
            for at in order
        ],
        "style": [
            {"feature": name, "title": STYLE[name], "coefficient": one.as_json()}
            for name, one in zip(names, styled.style, strict=False)
        ],
        "notes": sorted(set(notes)),
    }


def _fit(rows: Sequence[DecidedBattle], style: Any, notes: list[str]) -> BradleyTerry:
    def fit(ridge: float) -> BradleyTerry:
        return bradley_terry(
            [row.first for row in rows],
            [row.second for row in rows],
            [_POINTS[row.winner] for row in rows],
            style=style,
            clusters=[row.question for row in rows],
            interval="clustered",
            ridge=ridge,
        )

    try:
        return fit(0.0)
    except ValueError:
        # One model won everything, or style tells the models apart entirely.
        notes.append(
            f"Some ratings have no finite maximum: all are shrunk towards the mean by a prior (ridge {RIDGE})"
        )
        return fit(RIDGE)


def _best(pairs: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the model that is distinguishably better than each other one, which it must have met."""
    models = {name for pair in pairs for name in (pair["first"], pair["second"])}
    beaten: dict[str, set[str]] = {name: set() for name in models}
    for pair in pairs:
        if pair["distinguishable"]:
            ahead = pair["win_rate"]["value"] > 0.5
            better, worse = (pair["first"], pair["second"]) if ahead else (pair["second"], pair["first"])
            beaten[better].add(worse)
    return next((name for name in sorted(models) if len(beaten[name]) == len(models) - 1), None)


def _criteria_grid(results: Mapping[str, Any]) -> list[str]:
    lines = []
    title = "More verdicts" if results["banner"] else "Winner"
    for at, pair in enumerate(results["pairs"]):
        lines += [f"## {pair['first']} / {pair['second']}", ""]
        rows = []
        for one in results["criteria"]:
            found = one["pairs"][at]
            ahead = found["ahead"] or "tie"
            if found["ahead"] and not found["distinguishable"] and not results["banner"]:
                ahead += " (not significant)"
            rows.append((one["title"], found["wins"], found["ties"], found["losses"], ahead))
        lines += _grid(("Criterion", pair["first"], "Tie", pair["second"], title), rows)
    return lines


def _grid(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    lines = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _statuses(statuses: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in statuses.items()) or "none"


def _percent(estimate: Mapping[str, Any]) -> str:
    if estimate["value"] is None:
        return "no data"
    if estimate["low"] is None:
        return f"{100 * estimate['value']:.0f} %"
    return f"{100 * estimate['value']:.0f} % [{100 * estimate['low']:.0f}–{100 * estimate['high']:.0f}]"


def _number(estimate: Mapping[str, Any]) -> str:
    if estimate["low"] is None:
        return f"{estimate['value']:.0f}"
    return f"{estimate['value']:.0f} [{estimate['low']:.0f}–{estimate['high']:.0f}]"
