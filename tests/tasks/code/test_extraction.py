"""The program out of an answer: fences of every kind, bare programs, continuations, hostile text."""

from __future__ import annotations

import pytest
from evalkit.tasks.code.blocks import Block, code_blocks
from evalkit.tasks.code.extraction import (
    bare_program,
    continued,
    defines,
    find_program,
    fragment,
    indented_to,
    preceded,
)
from evalkit.tasks.code.intents import GAP, asserted_calls, filled
from evalkit.tasks.execution import Call
from hypothesis import given
from hypothesis import strategies as st

CALLS = "print(f(\n    1))\nf(2)  # три"
F = "def f(x):\n    return x + 1"

BLOCKS = {
    "plain": (f"Вот:\n```python\n{F}\n```\nГотово.", [Block("python", F)]),
    "tildes": (f"~~~py\n{F}\n~~~", [Block("py", F)]),
    "no language": (f"```\n{F}\n```", [Block("", F)]),
    "language in capitals": (f"```Python\n{F}\n```", [Block("python", F)]),
    "language with attributes": (f"``` {{.python}} title=x\n{F}\n```", [Block("python", F)]),
    "longer fence keeps shorter ones": ("````\n```\n1\n```\n````", [Block("", "```\n1\n```")]),
    "tildes keep backticks": ("~~~\n```\n~~~", [Block("", "```")]),
    "a longer fence closes": (f"```\n{F}\n`````", [Block("", F)]),
    "unclosed": (f"```python\n{F}", [Block("python", F)]),
    "windows line ends": (f"```python\r\n{F}\r\n```\r\n".replace("\n    ", "\r\n    "), [Block("python", F)]),
    "in a list item": ("1. Код:\n   ```python\n   def f(x):\n       return x + 1\n   ```", [Block("python", F)]),
    "after text": (f"Решение: ```python\n{F}\n```", [Block("python", F)]),
    "closed on the last line": (f"```python\n{F}```\nВсё.", [Block("python", F)]),
    "a fence in a docstring": (
        "```python\ndef f():\n    '''\n    ```\n    f()\n    ```\n    '''\n```",
        [Block("python", "def f():\n    '''\n    ```\n    f()\n    ```\n    '''")],
    ),
    "inline code is no fence": ("Вызов ```f(1)``` и `g`.", []),
    "empty": ("```python\n```", [Block("python", "")]),
    "two": ("```\n1\n```\n\n```text\n2\n```", [Block("", "1"), Block("text", "2")]),
    "none": ("Просто текст.", []),
}


@pytest.mark.parametrize("case", BLOCKS)
def test_blocks(case):
    answer, blocks = BLOCKS[case]
    assert code_blocks(answer) == blocks


def block(*lines, language="python"):
    return f"```{language}\n" + "\n".join(lines) + "\n```\n"


PROGRAMS = {
    "one block": (block(F), F),
    "last version wins": (block("def f(x):\n    return 0") + "Лучше так:\n" + block(F), F),
    "usage afterwards is left out": (block(F) + "Пример:\n" + block("print(f(1))"), F),
    "output afterwards is left out": (block(F) + block("2", language="text"), F),
    "untagged usage is left out": (block(F) + block("f(1)", language=""), F),
    "another language is left out": (block("int f(int x);", language="c") + block(F), F),
    "helpers before are kept": (
        block("import math") + block("def g(x):\n    return x") + block("def f(x):\n    return g(x)"),
        "def g(x):\n    return x\n\ndef f(x):\n    return g(x)",
    ),
    "helpers of helpers are kept": (
        block("def h(x):\n    return x")
        + block("def g(x):\n    return h(x)")
        + block("def f(x):\n    return g(x)"),
        "def h(x):\n    return x\n\ndef g(x):\n    return h(x)\n\ndef f(x):\n    return g(x)",
    ),
    "an earlier version brings no helpers": (
        block("def g(x):\n    return 0\ndef f(x):\n    return g(x)") + block("g = 1\ndef f(x):\n    return g"),
        "g = 1\ndef f(x):\n    return g",
    ),
    "indented block": ("```python\n    def f(x):\n        return x + 1\n```", F),
    "lambda": (block("f = lambda x: x"), "f = lambda x: x"),
    "annotated": (block("f: object = abs"), "f: object = abs"),
    "async": (block("async def f(x): pass"), "async def f(x): pass"),
    "class": (block("class f:\n    pass"), "class f:\n    pass"),
    "truncated": (f"```python\n{F}", F),
    "bare": (f"{F}\n", f"{F}\n"),
    "bare between prose": (f"Конечно, вот решение:\n\n{F}\n\nФункция прибавляет единицу.", f"{F}\n"),
    "bare between english prose": (f"Here is the code.\n{F}\nThis adds one.", f"{F}\n"),
    "bare before a block of output": (f"{F}\n\n```\n2\n```", f"{F}\n"),
    "bare after prose that looks like a call": (f"f(x) — это функция.\n{F}\nГотово.", f"{F}\n"),
    "bare with a call after it": (
        f"{F}\n\nprint(f(\n    1))\nf(2)  # три\nВывод: 2.",
        f"{F}\n\nprint(f(\n    1))\nf(2)  # три\n",
    ),
    "another name": (block("def g(x):\n    return x"), None),
    "only a call": (block("print(f(2))"), None),
    "a comparison defines nothing": (block("f == 1"), None),
    "a method defines nothing": (block("class A:\n    def f(self): pass"), None),
    "prose": ("Я не могу это решить.", None),
    "prose that speaks of code": ("def — это ключевое слово, а f(x) = x.", None),
    "empty": ("", None),
    "blank": (" \n\t\n", None),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_the_program_that_defines_a_function(case):
    answer, program = PROGRAMS[case]
    found = find_program(answer, ("f",))
    assert (found and found.strip()) == (program and program.strip())


CHOICE = "n = int(input())\nif n:\n    print(n)\nelse:\n    print(0)"
SUM = "a, b = map(int, input().split())\nprint(a + b)"
WHOLE = {
    "the last that prints": (block("n = 1\nprint(n)") + block("n = 2\nprint(n)"), "n = 2\nprint(n)"),
    "a line explained is no program": (block("n = 2\nprint(n)") + block("n = 2"), "n = 2\nprint(n)"),
    "tagged before untagged": (block("n = 2\nprint(n)") + block("print", language=""), "n = 2\nprint(n)"),
    "writes to sys.stdout": (block("import sys\nsys.stdout.write('1')"), "import sys\nsys.stdout.write('1')"),
    "nothing prints": (block("a = 1\nb = 2") + block("a"), "a = 1\nb = 2"),
    "bare": (CHOICE, CHOICE),
    "bare with prose": (f"Решение такое.\n{SUM}\nВот и всё, друзья.", SUM),
    "prose": ("Если число чётное, то выводим его.", None),
    "english prose": ("For each line we read the number: it is easy.", None),
}


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_program(case):
    answer, program = WHOLE[case]
    found = find_program(answer)
    assert (found and found.strip()) == program


BEGINNING = 'import math\n\n\ndef f(x):\n    """Add one."""\n'
CONTINUATIONS = {
    "as published": "    y = x\n    return y + 1\n",
    "first line lost its indentation": "y = x\n    return y + 1",
    "first line lost one blank": "   y = x\n    return y + 1",
    "a block statement lost its indentation": "if x:\n        return x + 1\n    return 1",
    "all lost its indentation": "y = x\nreturn y + 1",
    "all of a block statement lost it": "if x:\n    return x + 1\nreturn 1",
    "a single line": "return x + 1",
    "in a block": "Вот тело:\n```python\n    y = x\n    return y + 1\n```",
    "in a block at the margin": "```python\ny = x\nreturn y + 1\n```",
    "closes the prompt's fence": "    return x + 1\n```\n\nФункция готова.",
    "runs on": "    return x + 1\n\n\ndef g(x):\n    return x\n\nprint(f(",
    "runs on with a script": '    return x + 1\n\nif __name__ == "__main__":\n    import doctest\n    doctest.',
    "runs on with prose": "    return x + 1\n\nThis function adds one.",
    "uses a helper after it": "    return g(x)\n\n\ndef g(x):\n    return h(x)\n\n\ndef h(x):\n    return x + 1\n",
    "blank lines first": "\n\n    return x + 1\n",
}


@pytest.mark.parametrize("case", CONTINUATIONS)
def test_a_continuation(case):
    program = continued(BEGINNING, "f", CONTINUATIONS[case])
    assert program.startswith(BEGINNING)
    names: dict[str, object] = {}
    exec(program, names)
    assert [names["f"](value) for value in (0, 1, 5)] == [1, 2, 6]


@pytest.mark.parametrize("answer", ["", "\n \n", "Sorry, I cannot do that.", "Не знаю, как это сделать."])
def test_no_continuation(answer):
    assert continued(BEGINNING, "f", answer) is None


GIVEN = "def f(x):\n    for i in range(3):\n        # ПРОПУСК\n    return x"


@pytest.mark.parametrize(
    "answer",
    [
        block("        x += i", "        x += 1"),
        block("x += i", "x += 1"),
        block("x += i", "        x += 1"),
        block("if x >= 0:", "    x += i", "    x += 1"),
        block("if x >= 0:", "            x += i", "            x += 1"),
        "x += i\nx += 1",
        "        x += i\n        x += 1\n",
        block("def f(x):", "    return x + 6"),
        "Вместо пропуска:\n\n" + block("x += i + 1"),
    ],
)
def test_a_gap_is_filled(answer):
    names: dict[str, object] = {}
    exec(filled(GIVEN, "f", answer), names)
    assert [names["f"](value) for value in (0, 4)] == [6, 10]


def test_a_gap_stays_without_code():
    assert filled(GIVEN, "f", "Не знаю, что тут нужно.") is None


def test_code_moves_to_a_margin():
    assert indented_to("if a:\n    b\n\nc", "  ") == "  if a:\n      b\n\n  c"
    assert indented_to("\n        a\n        b", "    ") == "    a\n    b"


def test_future_imports_stay_first():
    program = 'from __future__ import annotations\nx: "int" = 1\n'
    assert preceded("import math\n", program) == 'from __future__ import annotations\nimport math\n\nx: "int" = 1\n'
    assert preceded(" \n", program) == program
    assert preceded("import math", "x = 1") == "import math\n\nx = 1"


def test_asserts_become_calls():
    answer = block(
        "import pytest",
        "assert f(1, [2, 'три']) == {'a': None}",
        "assert f(x=-1.5) == (1, 2), 'почему'",
        "assert {1, 2} == f()",
        "def test_edge():",
        "    '''Края.'''",
        "    assert f(0) is True",
        "class TestMore:",
        "    def test_it(self):",
        "        assert f(b'') == set()",
    )
    assert asserted_calls(answer, "f") == (
        Call((1, [2, "три"]), {"a": None}),
        Call((), (1, 2), {"x": -1.5}),
        Call((), {1, 2}),
        Call((0,), True),
        Call((b"",), set()),
    )


@pytest.mark.parametrize(
    "line",
    [
        "assert g(1) == 2",
        "assert f(1)",
        "assert not f(1)",
        "assert f(1) != 2",
        "assert f(1) == f(1)",
        "assert f(n) == 2",
        "assert f(1) == 1 + 1",
        "assert f(*[1]) == 2",
        "assert f(**{'x': 1}) == 2",
        "assert f(...) == 2",
        "assert f([1, ...]) == 2",
        "assert 1 < f(1) == 2",
        "assert f.g(1) == 2",
        "for n in range(3):\n    assert f(1) == 2",
        "if f(1) == 2:\n    pass",
        "assert f(__import__('os').system('true')) == 0",
        "assert f(1) == [x for x in (1,)]",
        "assert f(1) == 10 ** 10 ** 10",
        "assert f({[]: 1}) == 1",
    ],
)
def test_other_asserts_are_ignored(line):
    assert asserted_calls(block(line, "assert f(7) == 8"), "f") == (Call((7,), 8),)


@pytest.mark.parametrize(
    "source",
    [
        "assert f(1) == ",
        "assert f(" + "(" * 9000 + ")" * 9000 + ") == 1",
        "assert f(" + "-" * 40_000 + "1) == 1",
        "assert f(" + "~" * 40_000 + "1) == 1",
        "assert f(" + "not " * 9_000 + "1) == 1",
        "assert f(" + "1+" * 20_000 + "1) == 1",
        "assert f" + "(1)" * 15_000 + " == 1",
        "assert f" + ".f" * 20_000 + "(1) == 1",
        "assert f(" + "[" * 150 + "]" * 150 + ") == " + "9" * 20_000,
        "assert f(1) == 1\x00",
        "assert f('\ud800') == 1",
        "assert f(1) == '\\N{нет такого}'",
        "if x:\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 150)) + " " * 150 + "assert f(1) == 1",
        "assert f(1) == 2\n" * 4_000,
        "",
    ],
)
def test_hostile_tests_are_no_tests(source):
    assert asserted_calls(block(source), "f") == ()


def test_tests_without_a_fence_and_too_many_of_them():
    assert asserted_calls("Вот проверки:\nassert f(1) == 2\nВсё.\n", "f") == (Call((1,), 2),)
    assert len(asserted_calls(block(*["assert f(1) == 2"] * 999), "f")) == 200


# Anything quadratic in a quarter of a million characters would outlast the time limit of the tests.
LONG = 2**18
HOSTILE = {
    "backticks": "`" * LONG,
    "tildes": "~" * LONG,
    "fences": "```\n" * (LONG // 4),
    "tagged fences": "```python\n" * (LONG // 10),
    "blocks that define": "```\ndef f(): g\n```\n" * (LONG // 20),
    "blocks of helpers": "".join(f"```\ndef g{n}(): g{n + 1}\n```\n" for n in range(30_000))
    + "```\ndef f(): "
    + " ".join(f"g{n}" for n in range(30_000))
    + "\n```",
    "chunks": "    return g0\n" + "".join(f"def g{n}(): g{n + 1}\n" for n in range(40_000)),
    "blanks": " " * LONG,
    "blank lines": "\n" * LONG,
    "tabs and a word": "\t" * LONG + "def f",
    "one word": "f" * LONG,
    "words": "f " * (LONG // 2),
    "brackets": "[" * LONG,
    "subscripts": "f[" + "0][" * (LONG // 3),
    "attributes": "f" + ".f" * (LONG // 2),
    "commas": "f" + ", f" * (LONG // 3),
    "colons": "if" + ":" * LONG,
    "comments": "if" + " :#" * (LONG // 3) + "\nx",
    "an annotation": "f:" + " :" * (LONG // 2),
    "equals": "f" + "=" * LONG,
    "a call": "f(" + ")   #" * (LONG // 5),
    "an open call": "f(" + ")   " * (LONG // 4) + "x",
    "a call and blanks": "f()" + " " * LONG + "x",
    "margins": "\n".join(" " * depth + "f" for depth in range(1400)),
    "definitions": "def f(): pass\n" * (LONG // 14),
    "future": "from __future__ import x\n" * (LONG // 25),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_long_answers_are_read_in_linear_time(case):
    # Quadratic time would be hours, which the suite's time limit catches.
    answer = HOSTILE[case]
    find_program(answer, ("f", "Solution"))
    continued(BEGINNING, "f", f"    {answer}")
    preceded("import math", answer)
    for text in (answer, f"```python\n{answer}", f"    {answer}"):
        start = text[: 2**14]
        find_program(start)
        filled(GIVEN, "f", start)
        asserted_calls(start, "f")


FENCES = ("```", "~~~", "```python", "````")
CODE = ("def f(x):", "return x", "f = 1", "import os", "f", "assert f(1) == 2", "print(f)", "class Solution:", GAP)
OTHER = ("\n", "\r\n", "    ", " ", "Текст, и ещё.", "\x00", "\u2028", "'''", "(")
PIECES = st.sampled_from(FENCES + CODE + OTHER)


@given(st.lists(PIECES | st.text(max_size=5), max_size=40).map("".join))
def test_nothing_that_a_model_writes_is_an_error(answer):
    program = find_program(answer, ("f",))
    assert program is None or defines(program, "f")
    for found in (find_program(answer), bare_program(answer), fragment(answer)):
        assert found is None or found.strip()
    continued(BEGINNING, "f", answer)
    filled(GIVEN, "f", answer)
    asserted_calls(answer, "f")


LINES = st.lists(
    st.text(st.characters(exclude_characters="`~\r", exclude_categories=["Cs"]), max_size=20), max_size=6
)


@given(LINES, st.sampled_from(["```", "````", "~~~"]), st.text(alphabet="аб \n", max_size=10))
def test_a_fenced_text_comes_back_as_it_is(lines, fence, prose):
    code = "\n".join(lines)
    answer = f"{prose}\n{fence}python\n{code}\n{fence}\n{prose}"
    assert code_blocks(answer) == [Block("python", code)]
