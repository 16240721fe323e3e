"""How a sample is put to a model.

base          `Ask`, `Question`, `Solution`, `Solver`
conversation  the turns of a sample, each put to the solver in turn
single        one answer; `cot` thinks first
candidates    several drafts, and one answer made of them: `best_of`, `vote`, `multi_agent`
prompts       what models read, in Russian and English
likelihood    how likely the model finds given texts
names         ``best_of(n=4)`` to the solver
"""

from .base import Ask, Solution, Solver
from .conversation import solve
from .likelihood import measure_likelihoods
from .names import SOLVERS, open_solver

__all__ = ["SOLVERS", "Ask", "Solution", "Solver", "measure_likelihoods", "open_solver", "solve"]
