"""A line of ``battles.jsonl``: a battle as it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self, get_args

from ....errors import InputError
from ....judges.pairwise import Winner

Style = tuple[float, ...]
"""The features of an answer, as `style_of` counts them."""

_WINNERS: Final = frozenset({None, *get_args(Winner)})


@dataclass(frozen=True, slots=True)
class DecidedGame:
    """One order of a battle; ``judge`` is what the judge said."""

    winner: Winner | None
    status: str
    criteria: Mapping[str, Winner] = field(default_factory=dict)
    judge: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DecidedBattle:
    """Two models on one question, or on one turn of it, and who won: None without a verdict.

    ``consistent`` tells whether both orders agree. ``style`` is that of both answers, None where one is missing.
    The order of the fields is that of the line.
    """

    key: str
    task: str
    id: str
    epoch: int
    turn: int
    first: str
    second: str
    style: tuple[Style, Style] | None
    winner: Winner | None
    status: str
    consistent: bool | None
    criteria: Mapping[str, Winner] = field(default_factory=dict)
    games: tuple[DecidedGame, ...] = ()

    @property
    def question(self) -> tuple[str, str]:
        """What is asked: the task and the sample's id."""
        return self.task, self.id

    @classmethod
    def decode(cls, data: Any, *, where: str) -> Self:
        """Make one from the JSON value of its line; ``where`` names it.

        Raises:
            InputError: no comparison writes such a line (names file and line).
        """
        try:
            games = tuple(DecidedGame(**game) for game in data["games"])
            style = None if data["style"] is None else tuple(map(tuple, data["style"]))
            battle = cls(**{**data, "games": games, "style": style})
            winners = [battle.winner, *battle.criteria.values(), *(game.winner for game in games)]
            if not _WINNERS.issuperset(winners):
                raise ValueError(f"unknown winner in {winners!r:.60}")
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{where}: not a battle of a comparison ({type(error).__name__}: {error})") from None
        return battle
