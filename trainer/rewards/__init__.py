"""Rewards, for this trainer and for others: all of it in one place.

`open_reward` and `Rewards` score answers with tasks and plugins (`mix`). The same rewards go to other
trainers through `trl_reward`, `compute_score` (verl), `verifiers_rubric`, `verifiers_reward` and
`open_instruct_verifier`, each with a function that makes the rows of its dataset (`adapters`).
"""

from .adapters.open_instruct import open_instruct_rows, open_instruct_verifier
from .adapters.trl import trl_reward, trl_rows
from .adapters.verifiers import verifiers_reward, verifiers_rows, verifiers_rubric
from .adapters.verl import compute_score, verl_rows
from .mix import Reward, RewardPart, Rewards, component_names, open_reward, plugin_task

__all__ = [
    "Reward",
    "RewardPart",
    "Rewards",
    "component_names",
    "compute_score",
    "open_instruct_rows",
    "open_instruct_verifier",
    "open_reward",
    "plugin_task",
    "trl_reward",
    "trl_rows",
    "verifiers_reward",
    "verifiers_rows",
    "verifiers_rubric",
    "verl_rows",
]
