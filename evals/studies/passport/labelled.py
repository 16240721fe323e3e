"""Agreement of a judge with human labels, from a file such as the Open Proof Corpus.

A line is ``{"question", "answer", "label"}``; it may have ``reference``, ``model``, ``id`` and ``group`` (answers
to one question are no independent observations). Published forms are read as they are: ``problem`` and ``proof``
are the question and the answer, ``problem_id`` and ``question_id`` the group. A label is ``correct`` or
``incorrect``, true or false, 0 or 1; or else points on the scale of the form that the judge fills in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError, UsageError
from ....tasks.records import Record, read_records
from ...judging.families import family_of
from ...statistics import Estimate, bootstrap_interval, clustered_mean, cohen_kappa, mean_interval, spearman
from .measurements import RESAMPLES, Measurement, auc

CORRECT_FROM: Final = 0.5
"""The share of the scale from which a judge's value counts as "correct"."""

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "question": ("question", "problem", "prompt"),
    "answer": ("response", "proof", "answer", "solution"),
    "label": ("label", "correct", "grade", "points", "rating", "score"),
}
_GROUPS: Final = ("group", "problem_id", "question_id")
_WORDS: Final[Mapping[str, float]] = {
    "correct": 1.0,
    "incorrect": 0.0,
    "true": 1.0,
    "false": 0.0,
    "верно": 1.0,
    "неверно": 0.0,
}
_BLANKS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("question", "problem", "statement"), "question"),
    **dict.fromkeys(("answer", "proof", "solution"), "answer"),
    "reference": "reference",
}

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """One answer and what people say of it: ``label`` is 1 or 0 for right or wrong, or points."""

    id: str
    group: str
    question: str
    answer: str
    label: float
    reference: str = ""
    model: str = ""

    def fields(self, blanks: frozenset[str]) -> dict[str, str]:
        """Return what stands in the blanks of a form.

        Raises:
            UsageError: the form wants something that a labelled answer does not have.
        """
        unknown = sorted(blanks - _BLANKS.keys())
        if unknown:
            raise UsageError(
                f"labelled answers do not fit a form with the placeholder '{unknown[0]}': name another form"
            )
        return {blank: str(getattr(self, _BLANKS[blank])) for blank in blanks}


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """The answers of a file, its hash in hex, and whether all labels are right or wrong."""

    path: Path
    sha256: str
    answers: tuple[LabelledAnswer, ...]
    binary: bool


def read_labelled(path: Path) -> LabelledSet:
    """Read a file of labelled answers.

    Raises:
        InputError: a line cannot be used (names file, line and field), or all labels are the same.
    """
    answers = list(map(_answer, read_records(path)))
    names = [answer.id for answer in answers]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{path}: two answers have the id {twice!r}; give each an 'id' of its own")
    labels = {answer.label for answer in answers}
    if len(labels) < 2:
        raise InputError(f"{path}: all labels are {labels.pop():g}; agreement needs at least two different labels")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return LabelledSet(path, sha256, tuple(answers), labels <= {0.0, 1.0})


def agreement(
    labelled: LabelledSet,
    values: Sequence[float | None],
    scale: tuple[float, float],
    *,
    family: str | None = None,
    correct_from: float = CORRECT_FROM,
) -> tuple[Measurement, ...]:
    """Compare verdicts with the labels; intervals are by question.

    Accuracy, balanced accuracy and AUC are of right against wrong (for labels in points: of those that reach
    ``correct_from`` of the scale); kappa is Cohen's, weighted by the squared distance where labels are points; the
    mean absolute error is a share of the scale. The AUC of the answers' length is given for the labels and for the
    verdicts: a judge whose number is further from one half than that of the labels goes by length.
    ``family_effect`` is by how much, in shares of the scale, the judge's values are higher on answers of its own
    family than on others of the same label.

    Args:
        labelled: the answers.
        values: the verdict on each, in their order, on the form's scale; None where there is none.
        scale: the lowest and the highest value of the form.
        family: of the judge, as `family_of` names it.
        correct_from: from which share of the scale on a verdict says "correct".

    Raises:
        InputError: labels are points off the scale.
        ValueError: not one value for each answer.
    """
    low, high = scale
    judged = [(one, value) for one, value in zip(labelled.answers, values, strict=True) if value is not None]
    given = [float(value is not None) for value in values]
    coverage = mean_interval(given, [one.group for one in labelled.answers])
    found = [Measurement("coverage", "Verdicts on labelled answers", "share", 1.0, coverage)]
    if not judged:
        return tuple(found)
    groups = [one.group for one, _ in judged]
    said = (np.array([value for _, value in judged], dtype=np.float64) - low) / (high - low)
    labels = np.array([one.label for one, _ in judged], dtype=np.float64)
    if not labelled.binary:
        labels = (labels - low) / (high - low)
        if labels.min() < 0 or labels.max() > 1:
            raise InputError(f"{labelled.path}: labels lie between {low:g} and {high:g}, as the form's scale does")
    truth, decided = labels >= correct_from, said >= correct_from
    lengths = np.array([len(one.answer) for one, _ in judged], dtype=np.float64)

    def by_question(statistic: Callable[[Rows], float | None], least: float) -> Estimate:
        return bootstrap_interval(statistic, len(judged), groups, bounds=(least, 1.0), resamples=RESAMPLES)

    def kappa(rows: Rows) -> float | None:
        if labelled.binary:
            return cohen_kappa(truth[rows].tolist(), decided[rows].tolist())
        points = [np.rint(column[rows] * (high - low) + low).tolist() for column in (labels, said)]
        categories = np.arange(low, high + 1).tolist()
        return cohen_kappa(points[0], points[1], weights="quadratic", categories=categories)

    rows: list[tuple[str, str, float | None, float, Callable[[Rows], float | None]]] = [
        ("balanced_accuracy", "Balanced accuracy", 1.0, 0.0, lambda rows: _balanced(truth[rows], decided[rows])),
        ("auc", "AUC of the verdicts", 1.0, 0.0, lambda rows: auc(said[rows], truth[rows])),
        ("kappa", "Cohen's kappa", 1.0, -1.0, kappa),
        (
            "spearman",
            "Spearman's rank correlation",
            1.0,
            -1.0,
            lambda rows: spearman(said[rows], labels[rows]).value,
        ),
        (
            "label_length_auc",
            "AUC of length for the labels",
            None,
            0.0,
            lambda rows: auc(lengths[rows], truth[rows]),
        ),
        ("length_auc", "AUC of length for the verdicts", None, 0.0, lambda rows: auc(lengths[rows], decided[rows])),
    ]
    found += [
        Measurement("accuracy", "Accuracy", "share", 1.0, mean_interval((truth == decided).astype(float), groups)),
        Measurement("mae", "Mean absolute error", "share", 0.0, mean_interval(np.abs(said - labels), groups)),
        *(
            Measurement(name, title, "coefficient", fair, by_question(statistic, least))
            for name, title, fair, least, statistic in rows
        ),
    ]
    families = [family_of(one.model) if one.model else None for one, _ in judged]
    if any(families):
        found.append(_family_effect(said, labels, families, groups, family))
    return tuple(found)


def _family_effect(
    said: Floats, labels: Floats, families: Sequence[str | None], groups: Sequence[str], own: str | None
) -> Measurement:
    """Estimate the coefficient of "own family" in a regression of the values on it and the labels.

    Families that write better answers would get higher values from any judge; what the labels explain is taken out.
    The parts are the mean residuals of each family.
    """
    names = np.array([name or "" for name in families])
    is_own = (names == own).astype(np.float64)

    def effect(rows: Rows) -> float | None:
        if is_own[rows].min() == is_own[rows].max():
            return None
        return _coefficients(said[rows], labels[rows], is_own[rows])[2]

    constant, slope = _coefficients(said, labels)
    residuals = said - constant - slope * labels
    parts = {}
    for name in sorted(set(names) - {""}):
        chosen = np.flatnonzero(names == name)
        parts[str(name)] = clustered_mean(residuals[chosen], [groups[int(row)] for row in chosen])
    estimate = bootstrap_interval(effect, len(said), groups, resamples=RESAMPLES)
    title = "Above answers of other families with the same label"
    return Measurement("family_effect", title, "share", 0.0, estimate, parts)


def _coefficients(said: Floats, *columns: Floats) -> list[float]:
    design = np.column_stack([np.ones(len(said)), *columns])
    return [float(value) for value in np.linalg.lstsq(design, said, rcond=None)[0]]


def _balanced(truth: NDArray[np.bool_], decided: NDArray[np.bool_]) -> float | None:
    if truth.all() or not truth.any():
        return None
    return (float(decided[truth].mean()) + float((~decided[~truth]).mean())) / 2


def _answer(record: Record) -> LabelledAnswer:
    found: dict[str, Any] = {}
    for field, names in _NAMES.items():
        name = next((name for name in names if record.get(name) is not None), None)
        if name is None:
            others = ", ".join(other for other in names if other != field)
            raise record.field_error(field, f"there is none (nor {others})")
        found[field] = record[name]
    for field in ("question", "answer"):
        if not isinstance(found[field], str):
            raise record.field_error(field, "expected a string")
    group = str(next((record[name] for name in _GROUPS if record.get(name) is not None), found["question"]))
    model = str(record.get("model") or "")
    given = record.get("id")
    name = str(given) if given is not None else f"{group}/{model}" if model else str(record.number)
    label = _label(record, found["label"])
    reference = str(record.get("reference") or "")
    return LabelledAnswer(name, group, found["question"], found["answer"], label, reference, model)


def _label(record: Record, label: Any) -> float:
    if isinstance(label, str) and label.strip().casefold() in _WORDS:
        return _WORDS[label.strip().casefold()]
    if isinstance(label, int | float) and np.isfinite(label):
        return float(label)
    raise record.field_error("label", f"expected correct or incorrect, true or false, a number; found {label!r}")
