"""Kinship: who is who to whom, through a chain of relatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from ...random import Dice
from ..answers import Answer, choice
from ..puzzle import Family, Puzzle, Split, last_line
from ..russian import Person, men, sentence, women

Link = Literal["child", "sibling", "spouse"]
Fact = tuple[Link, int, int]
"""«child» says that the first person is a child of the second."""

# Each relation as it is called of a man and of a woman; the first word of each is the answer's own.
_TERMS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "parent": (("отец", "папа", "отцом"), ("мать", "мама", "матерью")),
    "child": (("сын", "сыном"), ("дочь", "дочка", "дочерью")),
    "sibling": (("брат", "родной брат", "братом"), ("сестра", "родная сестра", "сестрой")),
    "spouse": (("муж", "мужем"), ("жена", "женой")),
    "grandparent": (("дедушка", "дед", "дедушкой", "дедом"), ("бабушка", "бабка", "бабушкой")),
    "grandchild": (("внук", "внуком"), ("внучка", "внучкой")),
    "great-grandparent": (("прадедушка", "прадед", "прадедушкой"), ("прабабушка", "прабабка", "прабабушкой")),
    "great-grandchild": (("правнук", "правнуком"), ("правнучка", "правнучкой")),
    "uncle": (("дядя", "родной дядя", "дядей"), ("тётя", "тётка", "родная тётя", "тётей")),
    "nephew": (
        ("племянник", "родной племянник", "племянником"),
        ("племянница", "родная племянница", "племянницей"),
    ),
    "cousin": (
        ("двоюродный брат", "кузен", "двоюродным братом"),
        ("двоюродная сестра", "кузина", "двоюродной сестрой"),
    ),
    "parent of the husband": (("свёкор", "свёкром"), ("свекровь", "свекровью")),
    "parent of the wife": (("тесть", "тестем"), ("тёща", "тёщей")),
    "spouse of a child": (("зять", "зятем"), ("невестка", "сноха", "невесткой", "снохой")),
    "spouse of a sibling": (("зять", "зятем"), ("невестка", "невесткой")),
    "sibling of the husband": (("деверь", "деверем"), ("золовка", "золовкой")),
    "sibling of the wife": (("шурин", "шурином"), ("свояченица", "свояченицей")),
}
_TRIES: Final = 60
_ABOVE: Final = ("parent", "grandparent", "great-grandparent")
_BELOW: Final = ("child", "grandchild", "great-grandchild")
_EASY: Final = frozenset(list(_TERMS)[:11])


@dataclass(frozen=True, slots=True)
class Facts:
    """Links between people (``female`` tells their sex); ``asked`` is the pair whose relation is wanted."""

    female: tuple[bool, ...]
    links: tuple[Fact, ...]
    asked: tuple[int, int]


def solve(facts: Facts) -> list[str]:
    """Return every relation that the facts entail for the two people asked about.

    Each person has a couple of parents and a couple of their own. A link says that two such couples are one: since
    brothers and sisters share both parents and nobody marries twice, merging couples draws all conclusions.
    """
    return sorted(set(_relations(_Couples(facts), facts, *facts.asked)))


def answer(facts: Facts, solution: str) -> Answer:
    """Return the word for the relation, by the sex of the first person."""
    words = _TERMS[solution][facts.female[facts.asked[0]]]
    return choice(words[0], aliases=words[1:])


class _Couples:
    """The couples that people come from and belong to, merged as the facts say."""

    def __init__(self, facts: Facts) -> None:
        self.count = len(facts.female)
        self._merged = list(range(2 * self.count))
        for kind, one, other in facts.links:
            if kind == "child":
                self._merge(one, self.count + other)
            elif kind == "sibling":
                self._merge(one, other)
            else:
                self._merge(self.count + one, self.count + other)

    def origin(self, person: int) -> int:
        """Return the couple of a person's parents."""
        return self._find(person)

    def own(self, person: int) -> int:
        """Return the couple that a person is half of."""
        return self._find(self.count + person)

    def above(self, couple: int) -> set[int]:
        """Return the couples that the two come from."""
        return {self.origin(person) for person in range(self.count) if self.own(person) == couple}

    def _find(self, node: int) -> int:
        while self._merged[node] != node:
            node = self._merged[node]
        return node

    def _merge(self, one: int, other: int) -> None:
        self._merged[self._find(one)] = self._find(other)


def _relations(couples: _Couples, facts: Facts, one: int, other: int) -> Iterator[str]:
    """Yield what ``one`` is to ``other``."""
    from_one, own_one = couples.origin(one), couples.own(one)
    from_other, own_other = couples.origin(other), couples.own(other)
    if own_one == own_other:
        yield "spouse"
    if from_one == from_other:
        yield "sibling"
    for names, upper, lower in ((_ABOVE, own_one, from_other), (_BELOW, own_other, from_one)):
        distance = _generations(couples, upper, lower)
        if distance is not None:
            yield names[distance]
    if from_one != from_other:
        if from_one in couples.above(from_other) and own_one != from_other:
            yield "uncle"
        if from_other in couples.above(from_one) and own_other != from_one:
            yield "nephew"
        if couples.above(from_one) & couples.above(from_other):
            yield "cousin"
    if own_one != own_other:
        partner = "husband" if facts.female[other] else "wife"
        by_marriage = couples.above(own_other) - {from_other}
        if own_one in by_marriage:
            yield f"parent of the {partner}"
        if from_one in by_marriage:
            yield f"sibling of the {partner}"
        married_into = couples.above(own_one) - {from_one}
        if own_other in married_into:
            yield "spouse of a child"
        if from_other in married_into:
            yield "spouse of a sibling"


def _generations(couples: _Couples, upper: int, lower: int) -> int | None:
    """Return how many generations one couple is above the other: 0 for the same, 2 at most, None otherwise."""
    level = {lower}
    for distance in range(3):
        if upper in level:
            return distance
        level = {above for couple in level for above in couples.above(couple)}
    return None


def generate(dice: Dice, difficulty: int, split: Split) -> Puzzle:
    """Draw a family of four generations and a chain of ``difficulty`` + 1 links between two of its people.

    Chance alone would make most long chains end with great-grandchildren: so a relation is drawn first, and chains
    until one leads to it (or for a while: some relations have no chain of that length).
    """
    wanted = dice.pick([relation for relation in _TERMS if difficulty > 2 or relation in _EASY])
    tries = 0
    while True:
        tries += 1
        crowd, links = _family(dice, split)
        chain = _chain(dice, links, difficulty + 1)
        if chain is None:
            continue
        path, ends = chain
        beside = [link for link in dice.shuffled(links) if link not in path][: difficulty // 2]
        chosen = tuple(dice.shuffled(path + beside))
        female = tuple(person.female for person in crowd)
        facts = Facts(female, chosen, ends)
        if (solutions := solve(Facts(female, tuple(path), ends))) != solve(facts) or len(solutions) != 1:
            continue
        if solutions[0] == wanted or (tries > _TRIES and (difficulty > 2 or solutions[0] in _EASY)):
            break
    named = sorted({person for _, *pair in chosen for person in pair})
    names = frozenset(crowd[person].name for person in named)
    words = tuple(sorted({spellings[0] for pair in _TERMS.values() for spellings in pair}))
    return Puzzle(_text(dice, facts, crowd), answer(facts, solutions[0]), facts, words, names)


def _family(dice: Dice, split: Split) -> tuple[list[Person], list[Fact]]:
    """Grow a family from one couple: up to two of the children of each marry, for three generations."""
    supply = {False: dice.shuffled(men(split)), True: dice.shuffled(women(split))}
    crowd: list[Person] = []
    links: list[Fact] = []

    def born(female: bool) -> int:
        crowd.append(supply[female].pop())
        return len(crowd) - 1

    couples = [(born(False), born(True))]
    links.append(("spouse", *couples[0]))
    for generation in range(3):
        married = []
        for couple in couples:
            brood: list[int] = []
            for _ in range((3, 2, 1)[generation]):
                child = born(dice.below(2) == 0)
                links += [("child", child, parent) for parent in couple]
                links += [("sibling", child, other) for other in brood]
                brood.append(child)
            for child in brood[:2]:
                if generation < 2:
                    spouse = born(not crowd[child].female)
                    links.append(("spouse", child, spouse))
                    married.append((child, spouse))
        couples = married
    return crowd, links


def _chain(dice: Dice, links: list[Fact], length: int) -> tuple[list[Fact], tuple[int, int]] | None:
    """Walk so many links without meeting anybody twice; None when the walk gets stuck."""
    at = start = dice.pick(links)[1]
    met, path = {start}, list[Fact]()
    for _ in range(length):
        onward = [
            (link, other)
            for link in links
            for here, other in (link[1:], link[:0:-1])
            if here == at and other not in met
        ]
        if not onward:
            return None
        link, at = dice.pick(onward)
        met.add(at)
        path.append(link)
    return path, (start, at)


def _text(dice: Dice, facts: Facts, crowd: list[Person]) -> str:
    one, other = (crowd[person] for person in facts.asked)
    return "\n".join(
        [
            " ".join(sentence(_words(dice, link, crowd)) for link in facts.links),
            "Все братья и сёстры в этой семье родные, у супругов все дети общие, никто не вступал в брак дважды, и "
            "супруги не состоят в кровном родстве.",
            f"Кем {one.name} приходится {other.dative}? Ответьте одним термином родства или свойства в "
            "именительном падеже (например, «двоюродный дедушка»).",
            last_line("термин"),
        ]
    )


def _words(dice: Dice, link: Fact, crowd: list[Person]) -> str:
    kind, one, other = link
    relation: str = kind
    if dice.below(2):
        one, other = other, one
        relation = "parent" if kind == "child" else kind
    return f"{crowd[one].name} — {_TERMS[relation][crowd[one].female][0]} {crowd[other].genitive}"


FAMILY = Family("kinship", "Родство", generate, solve, answer)
