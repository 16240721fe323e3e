"""The logic puzzles: one solution each, checked exactly, split cleanly, worded well, the same everywhere."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from functools import cache
from itertools import permutations, product

import pytest
from evalkit.errors import InputError, UsageError
from evalkit.tasks.logic import logic, open_logic
from evalkit.tasks.logic.answers import Answer, integer
from evalkit.tasks.logic.families import FAMILIES, kinship, knights, ordering, sudoku, syllogisms, weighing, zebra
from evalkit.tasks.logic.mutations import mutations
from evalkit.tasks.logic.puzzle import DIFFICULTIES, SPLITS, Puzzle
from evalkit.tasks.logic.russian import men, plural, women
from evalkit.tasks.logic.search import ConstraintProblem
from evalkit.tasks.logic.task import DEFAULT_COUNT, draw
from evalkit.tasks.random import Dice
from evalkit.tasks.types import Completion, Context, Status, Task
from hypothesis import given
from hypothesis import strategies as st

FEW = 3


@cache
def puzzle(name, difficulty, split, number):
    return FAMILIES[name].generate(Dice(f"test:{name}:{difficulty}:{split}:{number}"), difficulty, split)


def puzzles(name, count=FEW):
    for number in range(count):
        for difficulty in DIFFICULTIES:
            for split in SPLITS:
                yield puzzle(name, difficulty, split, number)


def said(answer):
    return f"Рассуждаю.\n\nОтвет: {answer}"


def examine(name, given_puzzle):
    """Demand one solution, the answer made of it, a checker that takes it, and 20 wrong answers refused."""
    family = FAMILIES[name]
    solutions = family.solve(given_puzzle.facts)
    assert len(solutions) == 1, given_puzzle.text
    assert family.answer(given_puzzle.facts, solutions[0]) == given_puzzle.answer
    assert given_puzzle.check(said(given_puzzle.answer)), given_puzzle.answer
    wrong = mutations(given_puzzle.answer, given_puzzle.options)
    assert len(wrong) == len(set(wrong)) == 20
    for answer in wrong:
        assert not given_puzzle.check(said(answer)), (given_puzzle.answer, answer)


# --- every puzzle has one solution, and the checker is exact ------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_one_solution_and_an_exact_checker(name):
    for made in puzzles(name):
        examine(name, made)


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
def test_ten_thousand_puzzles():
    for index in range(10_000):
        name, _, made = draw(SPLITS[index % 2], 0, index)
        examine(name, made)


def test_there_are_at_least_nine_families():
    assert len(FAMILIES) >= 9


def test_zero_with_more_zeros_is_no_mutation():
    made = Puzzle("", integer(0), None, ("0", "00"), frozenset())
    assert not any(made.check(said(answer)) for answer in mutations(made.answer, made.options))


# --- solvers against others that know nothing of them -------------------------------------------------------


def test_the_search_finds_every_solution():
    problem = ConstraintProblem(4, 4)
    problem.all_different(range(4))
    problem.relate(0, 1, lambda a, b: a < b)
    problem.relate(1, 2, lambda a, b: abs(a - b) != 1)
    problem.restrict(3, lambda value: value != 2)
    wanted = [
        order
        for order in permutations(range(4))
        if order[0] < order[1] and abs(order[1] - order[2]) != 1 and order[3] != 2
    ]
    assert sorted(problem.solutions()) == wanted
    assert len(problem.solutions(2)) == 2


def test_the_search_sees_a_contradiction_at_once():
    problem = ConstraintProblem(2, 2)
    problem.restrict(0, lambda value: False)
    assert problem.solutions() == []


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_orderings_by_trying_all_permutations(difficulty):
    for split in SPLITS:
        facts = puzzle("ordering", difficulty, split, 0).facts
        last = len(facts.names) - 1
        found = [
            places
            for places in permutations(range(last + 1))
            if all(ordering.holds(clue, places[clue[1]], places[clue[2]], last) for clue in facts.clues)
        ]
        assert found == ordering.solve(facts)


@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_zebras_by_trying_all_arrangements(difficulty):
    for number, split in product(range(2), SPLITS):
        facts = puzzle("zebra", difficulty, split, number).facts
        orders = list(permutations(range(facts.houses)))
        found = []
        for arrangement in product(orders, repeat=facts.categories):
            for kind, (category, value), other in facts.clues:
                there = other if kind in ("at", "not_at") else arrangement[other[0]][other[1]]
                if not zebra.holds(kind, arrangement[category][value], there):
                    break
            else:
                found.append(tuple(place for order in arrangement for place in order))
        assert found == zebra.solve(facts)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_no_zebra_clue_is_idle(difficulty):
    facts = puzzle("zebra", difficulty, "test", 0).facts
    for clue in facts.clues:
        fewer = tuple(other for other in facts.clues if other != clue)
        without = zebra.Facts(facts.houses, facts.categories, fewer, facts.asked, facts.labels)
        assert len(zebra.solve(without, 2)) == 2


def worlds(terms, premises):
    """All worlds over so many groups, as sets of inhabited kinds, where the premises hold and no group is empty."""
    kinds = range(1 << terms)
    for inhabited in product((False, True), repeat=len(kinds)):
        world = [kind for kind in kinds if inhabited[kind]]
        full = all(any(kind >> term & 1 for kind in world) for term in range(terms))
        if full and all(true_in(world, premise) for premise in premises):
            yield world


def true_in(world, claim):
    kind, subject, predicate = claim
    inside = [bool(member >> predicate & 1) for member in world if member >> subject & 1]
    return {"all": all(inside), "none": not any(inside), "some": any(inside), "some_not": not all(inside)}[kind]


CLAIMS = st.tuples(
    st.sampled_from(["all", "none", "some", "some_not"]), st.integers(0, 2), st.integers(0, 2)
).filter(lambda claim: claim[1] != claim[2])


@given(st.lists(CLAIMS, min_size=1, max_size=4).map(tuple), CLAIMS)
def test_syllogisms_by_trying_all_worlds(premises, conclusion):
    possible = list(worlds(3, premises))
    assert syllogisms.consistent(3, premises) == bool(possible)
    if possible:
        assert syllogisms.follows(3, premises, conclusion) == all(true_in(world, conclusion) for world in possible)


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_sudoku_solutions_keep_the_rules(difficulty):
    facts = puzzle("sudoku", difficulty, "train", 0).facts
    (cells,) = sudoku.solve(facts)
    size, tall, wide = facts.size, facts.box_rows, facts.size // facts.box_rows
    rows = [cells[start : start + size] for start in range(0, size * size, size)]
    boxes = [
        [rows[top + row][left + column] for row in range(tall) for column in range(wide)]
        for top in range(0, size, tall)
        for left in range(0, size, wide)
    ]
    for unit in (*rows, *zip(*rows, strict=True), *boxes):
        assert sorted(unit) == list(range(1, size + 1))
    assert all(given in (0, digit) for given, digit in zip(facts.cells, cells, strict=True))


def test_weights_fit_the_totals():
    for made in puzzles("weighing", 10):
        if isinstance(made.facts, weighing.Totals):
            (weights,) = weighing.solve(made.facts)
            for counts, total in made.facts.rows:
                assert sum(number * weight for number, weight in zip(counts, weights, strict=True)) == total


def test_totals_that_leave_a_choice_have_no_solution():
    assert weighing.solve(weighing.Totals((((1, 2), 300), ((2, 4), 600)), 0)) == []
    assert weighing.solve(weighing.Totals((((1, 2), 300), ((1, 1), 200), ((2, 2), 500)), 0)) == []
    assert weighing.solve(weighing.Totals((((1, 1), 100), ((1, 3), 50)), 0)) == []


MOTHER, SON, DAUGHTER, HER_HUSBAND, GRANDSON = range(5)


@pytest.mark.parametrize(
    ("one", "other", "word"),
    [
        (MOTHER, DAUGHTER, "мать"),
        (SON, DAUGHTER, "брат"),
        (DAUGHTER, HER_HUSBAND, "жена"),
        (MOTHER, HER_HUSBAND, "тёща"),
        (HER_HUSBAND, MOTHER, "зять"),
        (SON, HER_HUSBAND, "шурин"),
        (HER_HUSBAND, SON, "зять"),
        (MOTHER, GRANDSON, "бабушка"),
        (GRANDSON, MOTHER, "внук"),
        (SON, GRANDSON, "дядя"),
        (GRANDSON, SON, "племянник"),
        (HER_HUSBAND, GRANDSON, "отец"),
    ],
)
def test_kinship_in_a_family_drawn_by_hand(one, other, word):
    links = (
        ("child", SON, MOTHER),
        ("sibling", SON, DAUGHTER),
        ("spouse", DAUGHTER, HER_HUSBAND),
        ("child", GRANDSON, HER_HUSBAND),
    )
    facts = kinship.Facts((True, False, True, False, False), links, (one, other))
    (relation,) = kinship.solve(facts)
    assert kinship.answer(facts, relation).value == (word,)


def naive_relations(links, people, female, one, other):
    """What ``one`` is to ``other``, straight from the definitions."""
    parents = {p: {b for kind, a, b in links if kind == "child" and a == p} for p in people}
    spouses = {
        p: {b for kind, *pair in links if kind == "spouse" and p in pair for b in pair if b != p} for p in people
    }

    def of(relation, members):
        return set().union(*(relation[p] for p in members))

    children = {p: {c for c in people if p in parents[c]} for p in people}
    siblings = {p: of(children, parents[p]) - {p} for p in people}
    partner = "husband" if female[other] else "wife"
    meanings = {
        "parent": parents[other],
        "child": children[other],
        "sibling": siblings[other],
        "spouse": spouses[other],
        "grandparent": of(parents, parents[other]),
        "grandchild": of(children, children[other]),
        "great-grandparent": of(parents, of(parents, parents[other])),
        "great-grandchild": of(children, of(children, children[other])),
        "uncle": of(siblings, parents[other]),
        "nephew": of(children, siblings[other]),
        "cousin": of(children, of(siblings, parents[other])),
        f"parent of the {partner}": of(parents, spouses[other]),
        f"sibling of the {partner}": of(siblings, spouses[other]),
        "spouse of a child": of(spouses, children[other]),
        "spouse of a sibling": of(spouses, siblings[other]),
    }
    return sorted(relation for relation, members in meanings.items() if one in members)


@pytest.mark.parametrize("split", SPLITS)
def test_kinship_in_whole_families_by_the_definitions(split):
    named = Counter()
    for number in range(5):
        crowd, links = kinship._family(Dice(f"family {number}"), split)
        people, female = range(len(crowd)), tuple(person.female for person in crowd)
        for one, other in permutations(people, 2):
            found = kinship.solve(kinship.Facts(female, tuple(links), (one, other)))
            assert found == naive_relations(links, people, female, one, other)
            named.update(found)
    assert set(named) == set(kinship._TERMS)


def test_kinship_that_the_facts_leave_open_is_nothing():
    assert kinship.solve(kinship.Facts((True, False), (), (0, 1))) == []


def test_knights_of_a_known_puzzle():
    says_both_lie = ("some_liar", 0, 1)
    facts = knights.Facts(("А", "Б"), (says_both_lie, ("count", 1)))
    assert knights.solve(facts) == []
    assert knights.solve(knights.Facts(("А", "Б"), (says_both_lie, ("count", 0)))) == [(True, False)]


WEEKDAYS = re.findall(r"\w+", "понедельник вторник среда четверг пятница суббота воскресенье")
MONTHS = re.findall(r"\w+", "января февраля марта апреля мая июня июля августа сентября октября ноября декабря")


def test_calendar_answers_by_counting_days():
    asked = Counter()
    for made in puzzles("calendar", 20):
        facts = made.facts
        asked[facts.kind] += 1
        day = facts.start
        if facts.kind in ("weekday", "date"):
            for _ in range(abs(facts.shift)):
                day += timedelta(days=1 if facts.shift > 0 else -1)
            wanted = WEEKDAYS[day.weekday()] if facts.kind == "weekday" else f"{day.day} {MONTHS[day.month - 1]}"
            assert made.answer.value == (wanted,)
        elif facts.kind == "meeting":
            wait = int(made.answer.value[0])
            assert all(wait % period == 0 for period in facts.periods)
            assert facts.wanted in (None, (day + timedelta(days=wait)).weekday())
    assert set(asked) == {"weekday", "date", "month", "meeting"}


# --- the splits share nothing -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_the_splits_share_nothing(name):
    drawn = {split: set() for split in SPLITS}
    texts = {split: set() for split in SPLITS}
    for number in range(10):
        for difficulty in (1, 2, 3) if name == "sudoku" else DIFFICULTIES:
            for split in SPLITS:
                made = puzzle(name, difficulty, split, number)
                assert made.parameters
                drawn[split] |= made.parameters
                texts[split].add(made.text)
    assert not drawn["train"] & drawn["test"]
    assert not texts["train"] & texts["test"]


@pytest.mark.parametrize("size", [4, 6, 9])
def test_a_sudoku_grid_with_other_digits_stays_in_its_split(size):
    cells = sudoku.solve(puzzle("sudoku", {4: 1, 6: 3, 9: 4}[size], "test", 0).facts)[0]
    renamed = tuple(size + 1 - digit for digit in cells)
    assert sudoku.fingerprint(size, renamed) == sudoku.fingerprint(size, cells)


def test_names_are_declined_and_split():
    everybody = {split: men(split) + women(split) for split in SPLITS}
    assert not {p.name for p in everybody["train"]} & {p.name for p in everybody["test"]}
    cases = {p.name: (p.genitive, p.dative, p.instrumental, p.alongside) for s in SPLITS for p in everybody[s]}
    assert cases["Пётр"] == ("Петра", "Петру", "Петром", "с Петром")
    assert cases["Никита"] == ("Никиты", "Никите", "Никитой", "с Никитой")
    assert cases["Юрий"] == ("Юрия", "Юрию", "Юрием", "с Юрием")
    assert cases["Юлия"] == ("Юлии", "Юлии", "Юлией", "с Юлией")
    assert cases["Дарья"] == ("Дарьи", "Дарье", "Дарьей", "с Дарьей")
    assert cases["Ольга"] == ("Ольги", "Ольге", "Ольгой", "с Ольгой")
    assert cases["Светлана"][3] == "со Светланой"
    assert cases["Степан"][3] == "со Степаном"
    assert cases["Семён"] == ("Семёна", "Семёну", "Семёном", "с Семёном")


def test_nouns_agree_with_numbers():
    forms = ("день", "дня", "дней")
    assert [plural(n, forms) for n in (1, 2, 5, 11, 12, 21, 104, 111)] == [
        "день", "дня", "дней", "дней", "дней", "день", "дня", "дней",
    ]  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_texts_are_whole(name):
    for made in puzzles(name):
        text = re.sub(r"\n[\d. ]+(?=\n)", "", made.text)
        assert not re.search(r"[{}<>]|\bNone\b|  |\.\.|,,|\?\.|[,;]\.|\( | \)", text), text
        assert not re.search(r" [,;:?!)]", text), text
        assert "«Ответ: " in text.splitlines()[-1]
        assert text[0].isupper() or text[0].isdigit()


# --- the same everywhere ------------------------------------------------------------------------------------


def test_the_order_of_sets_and_dictionaries_does_not_matter():
    program = (
        "import json; from evalkit.tasks.logic import logic; "
        "print(json.dumps([[s.id, s.prompt, s.target] for s in logic.samples(split='train', limit=55, seed=3)]))"
    )
    one, other = (
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    )
    assert one == other
    here = [[s.id, s.prompt, s.target] for s in logic.samples(split="train", limit=55, seed=3)]
    assert json.loads(one) == json.loads(json.dumps(here))


def test_samples():
    assert isinstance(logic, Task)
    samples = list(logic.samples(split="test", limit=None, seed=0))
    assert len(samples) == DEFAULT_COUNT == 200
    assert len({sample.id for sample in samples}) == len({sample.prompt for sample in samples}) == 200
    assert samples[:30] == list(logic.samples(split="test", limit=30, seed=0))
    assert samples[0] != next(iter(logic.samples(split="test", limit=1, seed=1)))
    by_family = Counter(sample.metadata["family"] for sample in samples)
    assert set(by_family) == set(FAMILIES)
    assert max(by_family.values()) - min(by_family.values()) <= 1
    assert {sample.metadata["difficulty"] for sample in samples} == set(DIFFICULTIES)
    for sample in samples:
        assert json.loads(json.dumps(sample.target)) == sample.target
        assert score(sample, said(Answer.from_json(sample.target))).value == 1.0
        assert score(sample, "Ответ: не знаю").value == 0.0


def test_gold_and_wrong_answers():
    for sample in logic.samples(split="train", limit=110, seed=0):
        assert logic.score(sample, logic.gold(sample), Context()).value == 1.0
        wrong = list(logic.wrong(sample))
        assert len(wrong) == 20
        assert {logic.score(sample, completion, Context()).value for completion in wrong} == {0.0}


def test_votes_count_answers_that_are_written_alike():
    texts = ("Ответ: Артём, Зоя", "Так.\n**Ответ:** артем, зоя.", "\\boxed{Артём, Зоя}")
    assert {logic.final_answer(Completion(text)) for text in texts} == {"артем, зоя"}
    assert logic.final_answer(Completion("Не знаю")) is None


def test_one_family_at_one_difficulty():
    assert open_logic("") is logic
    task = open_logic("zebra")
    assert {sample.metadata["family"] for sample in task.samples(split="train", limit=10, seed=0)} == {"zebra"}
    assert {sample.metadata["difficulty"] for sample in task.samples(split="train", limit=10, seed=0)} == {
        1,
        2,
        3,
        4,
        5,
    }
    task = open_logic("knights:4")
    assert task.name == "logic:knights:4"
    samples = list(task.samples(split="test", limit=10, seed=0))
    assert {(sample.metadata["family"], sample.metadata["difficulty"]) for sample in samples} == {("knights", 4)}
    assert len({sample.prompt for sample in samples}) == 10


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("knight", "Did you mean 'knights'"),
        ("zebra:6", "from 1 to 5"),
        ("zebra:hard", "from 1 to 5"),
        (":1", "no family"),
    ],
)
def test_a_family_that_is_not_there(rest, message):
    with pytest.raises(UsageError, match=message):
        open_logic(rest)


def test_an_unknown_split():
    with pytest.raises(UsageError, match="'train' and 'test'"):
        logic.samples(split="validation", limit=1, seed=0)


# --- scores -----------------------------------------------------------------------------------------------


def score(sample, text, finish_reason="stop"):
    return logic.score(sample, Completion(text, finish_reason=finish_reason), Context())


def test_statuses():
    sample = next(iter(logic.samples(split="test", limit=1, seed=0)))
    right = said(Answer.from_json(sample.target))
    assert score(sample, right).status is Status.OK
    assert score(sample, "").status is Status.EMPTY
    assert score(sample, "Думаю, что").status is Status.MISSING
    assert score(sample, "Думаю, что", "length").status is Status.TRUNCATED
    assert score(sample, right, "length").value == 1.0
    assert score(sample, "Ответ: " + "1" * 5000).status is Status.MALFORMED
    assert {score(sample, text).value for text in ("", "Думаю", "Ответ: " + "1" * 5000)} == {0.0}


def test_the_metric_is_broken_down_by_family_and_difficulty():
    sample = next(iter(logic.samples(split="test", limit=1, seed=0)))
    (seen,) = logic.metrics[0].observe(score(sample, "Ответ: 1"))
    assert seen.value == 0.0
    assert seen.labels == {"family": "knights", "difficulty": "1"}


# --- files --------------------------------------------------------------------------------------------------


def test_a_file_of_puzzles(tmp_path):
    path = tmp_path / "puzzles.jsonl"
    samples = list(logic.samples(split="test", limit=22, seed=0))
    path.write_text(
        "\n".join(
            json.dumps({"id": s.id, "prompt": s.prompt, "answer": s.target, **s.metadata}, ensure_ascii=False)
            for s in samples
        ),
        encoding="utf-8",
    )
    assert list(logic.read(path)) == samples


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, ":1: field 'id'"),
        ({"id": "1"}, ":1: field 'prompt'"),
        ({"id": "1", "prompt": "?"}, ":1: field 'answer'"),
        (
            {"id": "1", "prompt": "?", "answer": {"form": "word", "value": ["a"]}},
            ":1: field 'form': expected one of integer, choice, sequence, set, grid, found 'word'",
        ),
    ],
)
def test_a_line_that_cannot_be_used(tmp_path, row, message):
    path = tmp_path / "puzzles.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)):
        list(logic.read(path))
