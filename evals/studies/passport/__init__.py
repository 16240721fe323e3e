"""The passport of a judge: its biases and its agreement with people, measured before use.

probes        what it is measured on: questions, paddings, decorations, signatures, attacks
gradings      what it is asked
measurements  what its answers tell: order, repetition, length, markdown, language, family, attacks, coverage
labelled      how it agrees with people's labels
document      the passport: stored, tied to the judge by a hash, held against thresholds
measure       all of that for a judge of models
page          the passport to read
"""

from .document import Passport, Threshold, read_passport, require_passport, write_passport
from .labelled import LabelledSet, agreement, read_labelled
from .measure import make_passport, measure_passport, planned_gradings, read_verdicts
from .measurements import Measurement
from .page import as_markdown

__all__ = [
    "LabelledSet",
    "Measurement",
    "Passport",
    "Threshold",
    "agreement",
    "as_markdown",
    "make_passport",
    "measure_passport",
    "planned_gradings",
    "read_labelled",
    "read_passport",
    "read_verdicts",
    "require_passport",
    "write_passport",
]
