# ruff: noqa: E501  (a program is easier to read as one literal)
"""Answers that hold a program in the ways in which models write them: pieces of solutions × layouts × dress × prose.

Every form says whether the program that the answer gives is right; the programs are short, and each is checked by
running it (`works`). Nothing here is taken from a benchmark.
"""

from __future__ import annotations

import html
import io
import random
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from unittest.mock import patch

SEED = 20261201


@dataclass(frozen=True, slots=True)
class Solution:
    """A right program in pieces, a wrong one, and how to tell them apart.

    ``entry`` is the function's name, empty for a program that reads standard input; ``tests`` are (arguments, value)
    or (input, output). ``helpers`` define what ``main`` uses; ``usage`` prints an example; ``quote`` is a part of
    ``main`` as an explanation shows it; ``parts`` are ``main`` cut in pieces that a reader puts together.
    """

    entry: str
    imports: str
    constants: str
    helper: str
    main: str
    other: str
    wrong: str
    usage: str
    quote: str
    parts: tuple[str, ...]
    tests: tuple[tuple[object, object], ...]

    @property
    def whole(self) -> str:
        return "\n".join([self.imports, "", self.constants, "", self.helper, "", self.main])

    @property
    def stub(self) -> str:
        return f"def {self.entry}(values):\n    ..." if self.entry else "import sys\n\ndef main():\n    pass"


FUNCTIONS = (
    Solution(
        "total",
        "import itertools as it\nfrom math import gcd",
        "LIMIT = 97\nMEMO: dict = {}",
        "def folded(values):\n    return list(it.accumulate(values))",
        "def total(values):\n    MEMO[len(values)] = gcd(4, 6)\n    sums = folded(values)\n    return sums[-1] % LIMIT if sums else 0",
        "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result % 97",
        "def total(values):\n    return len(values)",
        "print(total([1, 2, 3]))  # 6",
        "sums = folded(values)",
        (
            "def total(values):\n    MEMO[len(values)] = gcd(4, 6)\n    sums = folded(values)",
            "    return sums[-1] % LIMIT if sums else 0",
        ),
        ((([1, 2, 3],), 6), (([],), 0), (([90, 10],), 3)),
    ),
    Solution(
        "word_counts",
        "from collections import *\nimport re",
        "WORD = re.compile(r'[а-яё]+')",
        "class Box:\n    def __init__(self, text: str):\n        self.text = text\n    def words(self):\n        return WORD.findall(self.text.lower())",
        "def word_counts(text: str) -> dict:\n    found = Box(text).words()\n    return dict(Counter(found))",
        "def word_counts(text):\n    import re\n    counts = {}\n    for word in re.findall('[а-яё]+', text.lower()):\n        counts[word] = counts.get(word, 0) + 1\n    return counts",
        "def word_counts(text):\n    return {}",
        "counts = word_counts('да нет да')\nprint(counts)\nassert counts['да'] == 2",
        "return dict(Counter(found))",
        (
            "def word_counts(text: str) -> dict:\n    found = Box(text).words()",
            "    return dict(Counter(found))",
        ),
        ((("Да нет, да",), {"да": 2, "нет": 1}), (("",), {})),
    ),
    Solution(
        "depth",
        "import sys\nsys.setrecursionlimit(5000)\nfrom typing import Any",
        "OPEN, CLOSE = '(', ')'\nSTEPS = {OPEN: 1}\nSTEPS[CLOSE] = -1",
        "@staticmethod\ndef step(sign: str) -> int:\n    return STEPS.get(sign, 0)\n\ndef highest(sizes: Any) -> int:\n    return max(sizes, default=0)",
        "def depth(text):\n    level, seen = 0, []\n    for sign in text:\n        level += step(sign)\n        seen.append(level)\n    return highest(seen)",
        "def depth(text):\n    best = level = 0\n    for sign in text:\n        level += {'(': 1, ')': -1}.get(sign, 0)\n        best = max(best, level)\n    return best",
        "def depth(text):\n    return text.count('(')",
        "for sample in ['()', '(())']:\n    print(sample, depth(sample))",
        "for sign in text:\n    level += step(sign)",
        (
            "def depth(text):\n    level, seen = 0, []",
            "    for sign in text:\n        level += step(sign)\n        seen.append(level)\n    return highest(seen)",
        ),
        ((("(()())",), 2), (("",), 0), (("((a)(b<c)&(d))",), 2)),
    ),
)

PROGRAMS = (
    Solution(
        "",
        "import sys\nfrom functools import reduce",
        "ZERO = 0",
        "def added(values):\n    return reduce(lambda a, b: a + b, values, ZERO)",
        "n = int(input())\nvalues = list(map(int, sys.stdin.readline().split()))\nif n < 0:\n    print('нет')\n    raise SystemExit\nprint(added(values))",
        "n = int(input())\nresult = 0\nfor value in input().split():\n    result += int(value)\nprint(result)",
        "n = int(input())\nprint(n)",
        "print(added([1, 2, 3]))  # 6",
        "values = list(map(int, sys.stdin.readline().split()))",
        (
            "n = int(input())",
            "values = list(map(int, sys.stdin.readline().split()))",
            "if n < 0:\n    print('нет')\n    raise SystemExit",
            "print(added(values))",
        ),
        (("3\n1 2 3\n", "6"), ("2\n10 -3\n", "7"), ("1\n0\n", "0")),
    ),
    Solution(
        "",
        "import sys",
        "VOWELS = set('аеёиоуыэюя')",
        "def vowels(text: str) -> int:\n    return sum(sign in VOWELS for sign in text.lower())\n\ndef report(count: int) -> None:\n    sys.stdout.write(f'{count}\\n')",
        "def main():\n    text = sys.stdin.read()\n    report(vowels(text))\n\nif __name__ == '__main__':\n    main()",
        "import sys\ntext = sys.stdin.read().lower()\nprint(len([c for c in text if c in 'аеёиоуыэюя']))",
        "import sys\nprint(len(sys.stdin.read()))",
        "assert vowels('мама') == 2\nprint('OK')",
        "text = sys.stdin.read()",
        (
            "def main():\n    text = sys.stdin.read()\n    report(vowels(text))",
            "if __name__ == '__main__':\n    main()",
        ),
        (("Мама мыла раму\n", "6"), ("бл\n", "0")),
    ),
    Solution(
        "",
        "from collections import defaultdict, deque",
        "MOD = 10**9 + 7",
        "def reach(graph, start):\n    seen, queue = {start}, deque([start])\n    while queue:\n        for other in graph[queue.popleft()]:\n            if other not in seen:\n                seen.add(other)\n                queue.append(other)\n    return len(seen) % MOD",
        "n, m = map(int, input().split())\ngraph = defaultdict(list)\nfor _ in range(m):\n    a, b = map(int, input().split())\n    graph[a].append(b)\n    graph[b].append(a)\nprint(reach(graph, 1))",
        "n, m = map(int, input().split())\nparent = list(range(n + 1))\ndef find(x):\n    while parent[x] != x: x = parent[x]\n    return x\nfor _ in range(m):\n    a, b = map(int, input().split())\n    parent[find(a)] = find(b)\nprint(sum(find(x) == find(1) for x in range(1, n + 1)))",
        "n, m = map(int, input().split())\nprint(n)",
        "example = defaultdict(list)\nexample[1].append(2)\nprint(reach(example, 1))",
        "for _ in range(m):\n    a, b = map(int, input().split())\n    graph[a].append(b)\n    graph[b].append(a)",
        (
            "n, m = map(int, input().split())",
            "graph = defaultdict(list)",
            "for _ in range(m):\n    a, b = map(int, input().split())\n    graph[a].append(b)\n    graph[b].append(a)",
            "print(reach(graph, 1))",
        ),
        (("4 2\n1 2\n2 3\n", "3"), ("2 0\n", "1")),
    ),
)

CODE, SAMPLE, SHELL, PROSE, SESSION = "code", "text", "bash", "prose", "session"
Part = tuple[str, str]
"""What stands in an answer: (kind, text)."""


def _session(solution: Solution) -> str:
    name = solution.entry or "main"
    return f">>> {name}('x')\n42\n>>> {name}('y')\n0"


def _transcript(code: str) -> str:
    lines = code.split("\n")
    return "\n".join(("... " if line[:1].isspace() else ">>> ") + line if line else "..." for line in lines)


def _joined(*texts: str) -> str:
    return "\n\n\n".join(texts)


def _test_of(s: Solution) -> str:
    if s.entry:
        arguments, value = s.tests[0]
        return f"def test_{s.entry}():\n    assert {s.entry}(*{arguments!r}) == {value!r}\n\ntest_{s.entry}()\nprint('Все тесты пройдены')"
    given, printed = s.tests[0]
    return (
        "import io\nimport sys\nimport subprocess\n\n"
        f"result = subprocess.run(['python', 'solution.py'], input={given!r}, text=True, capture_output=True)\n"
        f"assert result.stdout.strip() == {printed!r}\nprint('OK')"
    )


LAYOUTS: dict[str, Callable[[Solution], list[Part]]] = {
    "one block": lambda s: [(CODE, s.whole)],
    "every piece apart": lambda s: [(CODE, s.imports), (CODE, s.constants), (CODE, s.helper), (CODE, s.main)],
    "imports apart": lambda s: [(CODE, s.imports), (CODE, _joined(s.constants, s.helper, s.main))],
    "constants apart": lambda s: [(CODE, _joined(s.imports, s.constants)), (CODE, _joined(s.helper, s.main))],
    "helpers before": lambda s: [(CODE, _joined(s.imports, s.constants, s.helper)), (CODE, s.main)],
    "helpers after": lambda s: [(CODE, s.main), (PROSE, "где"), (CODE, _joined(s.imports, s.constants, s.helper))],
    "imports after": lambda s: [(CODE, _joined(s.helper, s.main)), (CODE, _joined(s.imports, s.constants))],
    "helpers before with an example": lambda s: [
        (CODE, _joined(s.imports, s.constants, s.helper, "print('пример')")),
        (CODE, s.main),
    ],
    "usage after": lambda s: [(CODE, s.whole), (PROSE, "Пример использования:"), (CODE, s.usage)],
    "usage between": lambda s: [
        (CODE, _joined(s.imports, s.constants, s.helper)),
        (CODE, "print('проверка')"),
        (CODE, s.main),
    ],
    "tests after": lambda s: [(CODE, s.whole), (PROSE, "Тесты:"), (CODE, _test_of(s))],
    "usage and output after": lambda s: [(CODE, s.whole), (CODE, s.usage), (SAMPLE, "6\nOK")],
    "stub before": lambda s: [(PROSE, "Заготовка:"), (CODE, s.stub), (PROSE, "Решение:"), (CODE, s.whole)],
    "stub after": lambda s: [(CODE, s.whole), (PROSE, "Сигнатура, как в условии:"), (CODE, s.stub)],
    "draft before": lambda s: [(PROSE, "Было:"), (CODE, s.wrong), (PROSE, "Стало:"), (CODE, s.whole)],
    "two right variants": lambda s: [
        (PROSE, "Вариант 1:"),
        (CODE, s.other),
        (PROSE, "Вариант 2:"),
        (CODE, s.whole),
    ],
    "two right variants, the short one last": lambda s: [(CODE, s.whole), (PROSE, "Короче:"), (CODE, s.other)],
    "a line explained": lambda s: [(CODE, s.whole), (PROSE, "Здесь строка"), (CODE, s.quote)],
    "a line explained with a comment": lambda s: [
        (CODE, s.whole),
        (CODE, s.quote.split("\n")[0] + "  # главное" + s.quote[len(s.quote.split("\n")[0]) :]),
    ],
    "a part, then all": lambda s: [(CODE, s.parts[0]), (PROSE, "Полностью:"), (CODE, s.whole)],
    "all parts, then all": lambda s: [*((CODE, part) for part in s.parts), (PROSE, "Целиком:"), (CODE, s.whole)],
    "spread over blocks": lambda s: [
        (CODE, _joined(s.imports, s.constants, s.helper)),
        *((CODE, part) for part in s.parts),
    ],
    "input and output after": lambda s: [
        (CODE, s.whole),
        (PROSE, "Пример ввода:"),
        ("", "3\n1 2 3"),
        (PROSE, "Пример вывода:"),
        ("", "6"),
    ],
    "input and output before": lambda s: [(SAMPLE, "3\n1 2 3"), (CODE, s.whole), (SHELL, "python main.py < in")],
    "a session after": lambda s: [(CODE, s.whole), (PROSE, "В консоли:"), (SESSION, _session(s))],
    "another language after": lambda s: [(CODE, s.whole), ("cpp", "int main() { return 0; }")],
    "traceback before": lambda s: [
        (SAMPLE, 'Traceback (most recent call last):\n  File "a.py", line 1\nNameError: x'),
        (CODE, s.whole),
    ],
}

WRONG_LAYOUTS: dict[str, Callable[[Solution], list[Part]]] = {
    "the corrected version is wrong": lambda s: [(CODE, s.whole), (PROSE, "Исправим:"), (CODE, s.wrong)],
    "only a stub": lambda s: [(CODE, s.stub)],
    "only usage": lambda s: [(CODE, s.usage)],
    "only a helper": lambda s: [(CODE, _joined(s.imports, s.constants, s.helper))],
    "only tests": lambda s: [(CODE, _test_of(s))],
    "only samples": lambda s: [("", "3\n1 2 3"), ("", "6")],
    "the printed answer": lambda s: [(CODE, "print(6)")],
    "wrong with usage": lambda s: [(CODE, s.wrong), (CODE, s.usage)],
    "a final version that does not compile": lambda s: [(CODE, s.whole), (CODE, f"{s.wrong}\n)")],
}


# Dress: how a piece of code is set


def _fence(opening: str, closing: str = "```") -> Callable[[str], str]:
    return lambda code: f"{opening}\n{code}\n{closing}"


def _indented(code: str, margin: str) -> str:
    return "\n".join(margin + line if line else "" for line in code.split("\n"))


DRESS: dict[str, Callable[[str], str]] = {
    "python": _fence("```python"),
    "Python": _fence("```Python"),
    "PYTHON3": _fence("```PYTHON3"),
    "python3.11": _fence("```python3.11"),
    "py with a file name": _fence("```py title=main.py"),
    "python:main.py": _fence("```python:main.py"),
    "braces": _fence("``` {.python .numberLines}"),
    "no language": _fence("```"),
    "tildes": _fence("~~~python", "~~~"),
    "four backticks": _fence("````python", "````"),
    "closed with a tag": _fence("```python", "```</answer>"),
    "closed with words": _fence("```python", "``` — готово."),
    "quoted": lambda code: _indented(f"```python\n{code}\n```", "> ").replace("\n\n", "\n>\n"),
    "in a list": lambda code: "- Код:\n" + _indented(f"```python\n{code}\n```", "  "),
    "indented inside": lambda code: "```python\n" + _indented(code, "    ") + "\n```",
    "pre and code": lambda code: f'<pre><code class="language-python">{html.escape(code)}\n</code></pre>',
    "pre": lambda code: f"<pre>\n{html.escape(code)}\n</pre>",
    "code tags": lambda code: f"<code>\n{code}\n</code>",
    "escaped in a fence": lambda code: f"```python\n{html.escape(code)}\n```",
    "python tags": lambda code: f"[PYTHON]\n{code}\n[/PYTHON]",
    "answer tags": lambda code: f"<answer>\n{code}\n</answer>",
    "nested in markdown": lambda code: f"````markdown\nТекст.\n```python\n{code}\n```\n````",
    "nested in as many": lambda code: f"```markdown\n```python\n{code}\n```\n```",
    "byte order mark": lambda code: f"```python\n\ufeff{code}\n```",
    "windows": lambda code: f"```python\n{code}\n```".replace("\n", "\r\n"),
    "language in the block": lambda code: f"```\npython\n{code}\n```",
    "indented": lambda code: "\n" + _indented(code, "    ") + "\n",
    "tabs": lambda code: "\n" + _indented(code, "\t") + "\n",
    "console": lambda code: f"```\n{_transcript(code)}\n```",
    "pycon": lambda code: f"```pycon\n{_transcript(code)}\n```",
}

OPENINGS = (
    "",
    "Решение:",
    "Конечно! Вот программа.",
    "## Решение\n\nИдея простая: идём по данным один раз.",
    "\ufeff",
)
BETWEEN = ("", "Далее:", "**Шаг.** Теперь следующая часть.", "1. Затем", "Объяснение: это работает за O(n).")
CLOSINGS = ("", "Сложность O(n).", "Надеюсь, это поможет!", "**Итог:** программа готова, память O(1).")


@dataclass(frozen=True, slots=True)
class Layout:
    """An answer; ``right`` says whether the program that it gives solves the problem."""

    kind: str
    solution: Solution
    answer: str
    right: bool


def written(dice: random.Random, parts: list[Part], dress: str, *, unclosed: bool = False) -> str:
    pieces = [dice.choice(OPENINGS)]
    for position, (kind, text) in enumerate(parts):
        if position and kind != PROSE:
            # Without a fence, only prose shows where one piece ends.
            pieces.append(dice.choice(BETWEEN[1:] if dress in ("indented", "tabs") else BETWEEN))
        if kind == CODE:
            pieces.append(DRESS[dress](text))
        elif kind == PROSE:
            pieces.append(text)
        else:
            pieces.append(f"```{'' if kind == SESSION else kind}\n{text}\n```")
    if unclosed:
        return "\n\n".join(piece for piece in pieces if piece).rstrip("`~")
    return "\n\n".join(piece for piece in [*pieces, dice.choice(CLOSINGS)] if piece)


def layouts(seed: int = SEED, rounds: int = 1) -> Iterator[Layout]:
    """Yield every layout in several dresses and every dress in several layouts, and wrong answers of all kinds."""
    dice = random.Random(seed)
    solutions = (*FUNCTIONS, *PROGRAMS)
    for _ in range(rounds):
        for right, table in ((True, LAYOUTS), (False, WRONG_LAYOUTS)):
            for name, layout in table.items():
                for solution in solutions:
                    dress = dice.choice(["python", dice.choice(list(DRESS))])
                    answer = written(dice, layout(solution), dress)
                    yield Layout(f"{name} / {dress}", solution, answer, right)
        for dress in DRESS:
            for solution in solutions:
                name = dice.choice([key for key in LAYOUTS if "session" not in key])
                answer = written(dice, LAYOUTS[name](solution), dress)
                yield Layout(f"{name} / {dress}", solution, answer, True)
        for solution in solutions:
            answer = written(dice, [(CODE, solution.whole)], "python", unclosed=True)
            yield Layout("one block / unclosed", solution, answer, True)
            cut = [
                (CODE, solution.whole),
                (PROSE, "Иначе:"),
                (CODE, solution.other.rpartition("\n")[0] + "\n    x = ("),
            ]
            yield Layout("cut short / unclosed", solution, written(dice, cut, "python", unclosed=True), True)


def works(solution: Solution, program: str | None) -> bool:
    """Run a program of this module in this process and tell whether it solves the problem."""
    if program is None:
        return False
    try:
        return all(_holds(solution, program, *test) for test in solution.tests)
    except (Exception, SystemExit):
        return False


def _holds(solution: Solution, program: str, given: object, expected: object) -> bool:
    code = compile(program, "answer", "exec", dont_inherit=True)
    printed = io.StringIO()
    if solution.entry:
        names: dict[str, object] = {"__name__": "program"}
        with redirect_stdout(printed), patch("sys.stdin", io.StringIO("")), patch("sys.setrecursionlimit"):
            exec(code, names)
            return bool(names[solution.entry](*given) == expected)  # type: ignore[operator, misc]
    given_input = patch("sys.stdin", io.StringIO(str(given)))
    with redirect_stdout(printed), given_input, patch("subprocess.run"), suppress(SystemExit):
        exec(code, {"__name__": "__main__"})
    return printed.getvalue().split() == str(expected).split()
