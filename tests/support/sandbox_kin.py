# ruff: noqa: E501  (a program is easier to read as one literal)
"""Programs whose answers raise or lie when they are looked at, and honest ones that look like them, by kind.

Each is a source that defines ``f``, and tests. No hostile one passes or is a failure of the sandbox; every honest
one passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evalkit.tasks.execution import Asserts, Call, Calls, Limits, Program

LIMITS = Limits(cpu_seconds=1.0, wall_seconds=20.0)


@dataclass(frozen=True, slots=True)
class Kin:
    """A program, what is tried with it, and whether it must pass."""

    kind: str
    program: Program
    passes: bool


# Right is 42, or [42], or {"a": 42}: none of these values is.
_HEAD = "from decimal import Decimal\nfrom fractions import Fraction\nimport math\n"
_NUMBERS = (
    *("Decimal('sNaN')", "Decimal('-sNaN123')", "Decimal('NaN')", "Decimal('1e999999')", "complex('nan')"),
    *("Fraction(10**400, 3)", "math.nan", "10**5000", "1e308 * 10", "Hashed('sNaN')"),
)
_SHAPES = (
    *("{}", "[{}]", "({},)", "{{'a': {}}}", "[[{}]]", "{{'a': [{}]}}", "[1, {}, 3]", "{{41: {}}}", "{{{}: 42}}"),
    *("{{{}}}", "frozenset([{}])"),
)
_HASHED = "class Hashed(Decimal):\n    def __hash__(self): return 42\n"

_LOOKS = (
    *("__eq__", "__ne__", "__hash__", "__repr__", "__bool__", "__len__", "__iter__", "__next__", "__contains__"),
    *(
        "__getitem__",
        "__getattr__",
        "__call__",
        "__lt__",
        "__index__",
        "__int__",
        "__float__",
        "__sub__",
        "__abs__",
    ),
    *("__class__", "__reduce__", "__length_hint__", "__format__", "__del__", "__bytes__"),
)
_RAISED = (
    *(
        "ValueError()",
        "StopIteration(42)",
        "KeyError(42)",
        "RecursionError()",
        "MemoryError()",
        "StopAsyncIteration()",
    ),
    *("GeneratorExit()", "KeyboardInterrupt()", "type('Лжец', (Exception,), {'__str__': None})()", "IndexError()"),
    *("AttributeError()", "NotImplementedError()", "AssertionError()", "TypeError()"),
)
_BASES = (
    "object",
    "int",
    "float",
    "str",
    "list",
    "tuple",
    "dict",
    "set",
    "Decimal",
    "Fraction",
    "bytes",
    "complex",
)

_CALLS = ((42, 0.0, False), ([42], 0.0, True), ({"a": 42}, 1e-6, False), (42.0, 1e-6, True), ((42,), 0.0, False))
_ASSERTS = (
    "assert f(1) == 42",
    "assert 42 == f(1)",
    "assert not (f(1) != 42)",
    "assert f(1) in (42, 43)",
    "assert [f(1)] == [42]",
    "assert f(1) == [42] or f(1) == {'a': 42} or f(1) == (42,)",
    "assert {f(1): 1} == {42: 1}",
    "assert list(f(1)) == [42]",
    "assert sorted(f(1)) == [42]",
    "assert len(f(1)) == 1 and f(1)[0] == 42",
    "assert set(f(1)) == {42}",
    "assert abs(f(1) - 42) < 1e-6",
    "assert f(1) < 43 and f(1) > 41",
    "import math\nassert math.isclose(f(1), 42)",
    "assert f'{f(1)!r}' == '42'",
    "assert max(f(1), 42) == min(f(1), 42) == 42",
    "assert isinstance(f(1), int) and f(1) == 42",
    "for number in f(1):\n    assert number == 42\nassert f(1) == [42]",
)


def _objects() -> Iterator[tuple[str, str]]:
    for base in _BASES:
        for place, look in enumerate(_LOOKS):
            raised = _RAISED[(place + len(base)) % len(_RAISED)]
            body = f"    def {look}(self, *a): raise {raised}\n"
            if look == "__class__":
                body = f"    @property\n{body}"
            yield f"{base}.{look} raises {raised.partition('(')[0]}", f"class E({base}):\n{body}\nanswer = E()"
    for look, value in {
        **dict.fromkeys(("__eq__", "__bool__", "__contains__", "__lt__", "__gt__", "__le__"), "True"),
        **dict.fromkeys(("__hash__", "__index__", "__int__", "__len__"), "42"),
        **dict.fromkeys(("__iter__",), "iter((41,))"),
        **dict.fromkeys(("__getitem__", "__getattr__", "__call__", "__sub__", "__abs__", "__enter__"), "self"),
        "__ne__": "False",
        "__class__": "int",
        "__float__": "42.0",
    }.items():
        for base in _BASES:
            decorator = "    @property\n" if look == "__class__" else ""
            body = f"{decorator}    def {look}(self, *a): return {value}\n"
            hashed = "    __hash__ = object.__hash__\n" if look == "__eq__" else ""
            yield f"{base}.{look} lies", f"class E({base}):\n{body}{hashed}answer = E()"


def answers() -> Iterator[Kin]:
    """Yield wrong answers, each with a few of the tests: the numbers with all shapes, the objects with all looks."""
    sources = [
        (f"{number} in {shape}", f"{_HEAD}{_HASHED}def f(x): return {shape.format(number)}\n")
        for number in _NUMBERS
        for shape in _SHAPES
    ]
    sources += [(kind, f"{_HEAD}{text}\ndef f(x): return answer\n") for kind, text in _objects()]
    for place, (kind, source) in enumerate(sources):
        expected, tolerance, lists = _CALLS[place % len(_CALLS)]
        yield Kin(kind, Program(source, Calls("f", (Call((1,), expected),), tolerance, lists), LIMITS), False)
        for step in (0, 7):
            test = _ASSERTS[(place + step) % len(_ASSERTS)]
            if "for number in" in test and "__iter__ raises" not in kind:
                test = _ASSERTS[0]
            yield Kin(kind, Program(source, Asserts("f", (test,)), LIMITS), False)


_WAYS = {
    "call": ("def f(x): raise {}", "f"),
    "method": ("class A:\n    def m(self, x): raise {}\nA = A()\ndef f(): return A", "f().m"),
    "object": ("class A:\n    def __call__(self, x): raise {}\ndef f(): return A()", "f()"),
    "attribute": (
        "class A:\n    @property\n    def p(self): raise {}\ndef f(): return A()",
        "(lambda x: f().p)",
    ),
    "item": ("class A:\n    def __getitem__(self, k): raise {}\ndef f(): return A()", "(lambda x: f()[x])"),
    "length": ("class A:\n    def __len__(self): raise {}\ndef f(): return A()", "(lambda x: len(f()))"),
    "truth": ("class A:\n    def __bool__(self): raise {}\ndef f(): return A()", "(lambda x: bool(f()))"),
    "text": ("class A:\n    def __str__(self): raise {}\ndef f(): return A()", "(lambda x: str(f()))"),
    "contains": ("class A:\n    def __contains__(self, k): raise {}\ndef f(): return A()", "(lambda x: x in f())"),
    "iteration": ("class A:\n    def __iter__(self): raise {}\ndef f(): return A()", "(lambda x: list(f()))"),
    "callback": ("def f(g): return g(1)\ndef h(x): raise {}", "(lambda x: f(lambda y: h(y)))"),
}
_LOOPS = (
    "assert all(map(lambda p: {}(p[0]) == p[1], [(1, 2), (3, 4)]))",
    "for got, want in zip(map({}, [1, 2, 3]), [2, 4, 6]):\n    assert got == want",
    "assert not [v for v in map({}, [1, 2]) if v != 5]",
    "assert not any(x != 5 for x in map({}, [1, 2]))",
    "for v in iter(lambda: {}(1), None):\n    assert v == 5",
    "assert sum(map({}, [1])) == 0",
    "assert list(filter({}, [1, 2])) == []",
    "assert dict(zip([1], map({}, [1]))) == {{}}",
    "assert max(map({}, [1, 2]), default=7) == 7",
    "import itertools\nassert list(itertools.starmap({}, [(1,), (2,)])) == []",
    "import itertools\nassert [*itertools.takewhile({}, [1, 2])] == []",
    "def each():\n    while True:\n        yield {}(1)\nassert list(each()) == []",
    "a, *b = [0, *map({}, [1])]\nassert b == []",
)


def loops() -> Iterator[Kin]:
    """Yield programs that raise what ends a loop, in every loop of a test: none of them passes."""
    for raised in ("StopIteration", "StopIteration(5)", "type('S', (StopIteration,), {})()", "StopAsyncIteration"):
        for way, (source, called) in _WAYS.items():
            for loop in _LOOPS:
                tests = Asserts("f", (loop.format(called),), exposes=("h",) if way == "callback" else ())
                yield Kin(f"{way} raises {raised}", Program(source.format(raised), tests, LIMITS), False)


_POINT = "class P:\n    def __init__(self, a, b=0): self.a, self.b = a, b\n    def sum(self, c=0): return self.a + self.b + c\n    def __len__(self): return self.a\n    def __getitem__(self, k): return [self.a, self.b][k]\n"
_HONEST = {
    "a key reads an attribute": (
        _POINT + "def f(key): return [p.a for p in sorted([P(2), P(1)], key=key)]",
        "assert f(lambda p: p.a) == [1, 2]",
    ),
    "a key calls a method": (
        _POINT + "def f(key): return min([P(2), P(1)], key=key).a",
        "assert f(lambda p: p.sum()) == 1 and f(lambda p: -p.sum(1)) == 2",
    ),
    "a key takes an item and a length": (
        _POINT + "def f(key): return sorted([P(3, 1), P(1, 2)], key=key)[0].b",
        "assert f(lambda p: p[0]) == 2 and f(lambda p: len(p) + p[1]) == 2",
    ),
    "a callback calls the program again": (
        "def f(g, n): return g(n)",
        "def down(n): return 0 if n == 0 else 1 + f(down, n - 1)\nassert f(down, 12) == 12",
    ),
    "a callback gets what a callback gave": (
        _POINT + "def f(g, h): return h(g(P(4, 5)))",
        "assert f(lambda p: p, lambda p: p.b) == 5",
    ),
    "a callback changes an object": (
        _POINT + "def f(g):\n    p = P(1)\n    g(p)\n    return p.a",
        "def change(p): p.a = 8\nassert f(change) == 8",
    ),
    "a callback iterates": (
        "def f(g): return g(x * x for x in range(4))",
        "assert f(list) == [0, 1, 4, 9] and f(sum) == 14 and f(lambda it: next(it)) == 0",
    ),
    "a callback raises and the program catches": (
        "def f(g):\n    try: return g(1)\n    except ValueError as error: return str(error)",
        "def no(x): raise ValueError('нет')\nassert f(no) == 'нет'",
    ),
    "a callback raises through the program": (
        "def f(g): return g(1)",
        "def no(x): raise KeyError('нет')\ntry:\n    f(no)\nexcept KeyError:\n    pass\nelse:\n    raise AssertionError",
    ),
    "a callback takes keywords": ("def f(g): return g(1, b=2)", "assert f(lambda a, b: a - b) == -1"),
    "a callback is a type": (
        "def f(kind, text): return [kind(x) for x in text.split()]",
        "assert f(int, '1 2') == [1, 2]",
    ),
    "a callback returns a function": ("def f(g): return g(2)(3)", "assert f(lambda a: lambda b: a * b) == 6"),
    "an iterator ends": (
        "def f(n): return iter(range(n))",
        "it = f(2)\nassert next(it) == 0 and next(it) == 1 and next(it, 'end') == 'end'",
    ),
    "an iterator is expected to end": (
        "def f(n):\n    yield from range(n)",
        "it = f(0)\ntry:\n    next(it)\nexcept StopIteration:\n    pass\nelse:\n    raise AssertionError",
    ),
    "an iterator of one's own": (
        "class f:\n    def __init__(self, n): self.n = n\n    def __iter__(self): return self\n"
        "    def __next__(self):\n        if not self.n: raise StopIteration\n        self.n -= 1\n        return self.n",
        "assert list(f(3)) == [2, 1, 0] and sum(f(4)) == 6 and [*zip(f(2), 'ab')] == [(1, 'a'), (0, 'b')]",
    ),
    "the end of an iteration is what is asked for": (
        "def f(xs): return next(iter(xs))",
        "try:\n    f([])\nexcept StopIteration:\n    pass\nelse:\n    raise AssertionError",
    ),
    "an exception is what is asked for": (
        "def f(x):\n    if x < 0: raise ValueError('меньше нуля')\n    return x",
        "try:\n    f(-1)\nexcept ValueError as error:\n    assert 'нуля' in str(error)\nelse:\n    raise AssertionError",
    ),
    "objects that are truthy and sized": (
        "from collections import deque\ndef f(n): return deque(range(n))",
        "assert len(f(3)) == 3 and list(f(2)) == [0, 1] and not f(0) and 1 in f(2) and f(3)[2] == 2",
    ),
    "decimals": (
        "from decimal import Decimal\ndef f(x): return Decimal(x) * 2",
        "from decimal import Decimal\nassert f('1.5') == Decimal('3.0') and f('NaN').is_nan()",
    ),
}


def honest() -> Iterator[Kin]:
    """Yield programs that are right."""
    for kind, (source, test) in _HONEST.items():
        yield Kin(kind, Program(source, Asserts("f", (test,)), LIMITS), True)
