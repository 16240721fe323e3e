"""The parts that a sandbox is made of: values as JSON, the filter of system calls, the folder, comparisons."""

from __future__ import annotations

import json
import os
import platform
import re
import struct
import sys
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from evalkit.evals.sandbox.inside import scratch
from evalkit.evals.sandbox.inside.codec import NotPlainError, decode, encode
from evalkit.evals.sandbox.inside.compare import as_lists, close, same_text, shown
from evalkit.evals.sandbox.inside.layout import find_layout
from evalkit.evals.sandbox.inside.syscalls import NUMBERS
from evalkit.evals.sandbox.inside.wire import MESSAGE_LIMIT, WireError, body_length, pack, unpack
from hypothesis import given
from hypothesis import strategies as st

atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.fractions()
    | st.decimals(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
)
hashable = atoms | st.tuples(st.integers(), st.text()) | st.frozensets(st.integers())
values = st.recursive(
    hashable,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(hashable, inner) | st.sets(hashable),
    max_leaves=20,
)


@given(values)
def test_values_survive_the_wire(value):
    returned = decode(unpack(pack(encode(value))[4:]))
    assert repr(returned) == repr(value) or returned == value
    assert type(returned) is type(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["int", "tuple", "dict", "set", "bytes", "range", "decimal", "x"]), inner)
    ),
    max_leaves=15,
)


@given(json_values)
def test_hostile_values_are_refused_in_known_ways(data):
    with suppress(ValueError, TypeError, ArithmeticError, NotPlainError):
        decode(data)


def test_only_plain_values_are_encoded():
    class Liar:
        __class__ = int

    for value in (object(), [len], {1: {2: Path()}}):
        with pytest.raises(NotPlainError):
            encode(value)
    with pytest.raises(TypeError):
        encode(Liar())
    cyclic: list = []
    cyclic.append(cyclic)
    with pytest.raises(RecursionError):
        encode(cyclic)
    assert decode(encode([Fraction(1, 3), Decimal("1.50"), range(1, 9, 2)])) == [
        Fraction(1, 3),
        Decimal("1.5"),
        range(1, 9, 2),
    ]


def test_messages_are_bounded():
    with pytest.raises(WireError, match="longer"):
        pack("x" * (MESSAGE_LIMIT + 1))
    with pytest.raises(WireError, match="longer"):
        body_length(b"\xff\xff\xff\xff")
    for body in (b"{", b"\xff", b"[" * 200_000, b"1" * 5000):
        with pytest.raises(WireError, match="not a message"):
            unpack(body)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("file_owner", [True, False])
def test_the_filter_allows_what_the_lists_say_and_nothing_else(machine, file_owner, monkeypatch):
    from evalkit.evals.sandbox.inside import seccomp

    monkeypatch.setattr(platform, "machine", lambda: machine)
    program = seccomp.make_filter(file_owner=file_owner).replace(
        struct.pack("<I", seccomp._OWN_PID), struct.pack("<I", 77)
    )
    architecture, column = seccomp._ARCHITECTURES[machine]
    allow, eperm, enosys, enotsup, kill = 0x7FFF0000, 0x50001, 0x50026, 0x5005F, 0x80000000

    def verdict(name: str, *arguments: int) -> int:
        return _run_filter(program, NUMBERS[name][column], architecture, arguments)

    checked = {"clone", "prctl", "prlimit64", "ioctl", "fcntl", "kill", "tgkill", "socketpair"}
    plain = dict.fromkeys(seccomp.ALLOWED, allow) | dict.fromkeys(seccomp.UNSUPPORTED, enotsup)
    plain |= dict.fromkeys(seccomp.UNKNOWN, enosys)
    plain |= dict.fromkeys(seccomp.FILE_OWNER, allow if file_owner else eperm)
    plain["fallocate"] = allow if file_owner else enotsup
    by_number = {NUMBERS[name][column]: expected for name, expected in plain.items()}
    reviewed = {NUMBERS[name][column] for name in checked}
    for number in [*range(520), 0x40000000, 0x40000039, 0xFFFFFFFF]:
        if number not in reviewed:
            assert _run_filter(program, number, architecture, ()) == by_number.get(number, eperm), number
    assert _run_filter(program, 0, 0x40000003, ()) == kill
    assert verdict("clone", 0x3D0F00) == allow
    assert verdict("clone", 17) == verdict("clone", 0x10000000) == eperm
    assert verdict("kill", 77, 9) == verdict("tgkill", 77, 78, 6) == allow
    assert verdict("kill", 1, 9) == verdict("kill", 0xFFFFFFFF, 9) == verdict("kill", 0, 9) == eperm
    assert verdict("prctl", 15) == allow
    assert verdict("prctl", 1) == verdict("prctl", 4) == verdict("prctl", 22) == eperm
    assert verdict("prlimit64", 0) == allow
    assert verdict("prlimit64", 1) == eperm
    assert verdict("fcntl", 3, 2) == allow
    assert verdict("fcntl", 3, 8) == verdict("fcntl", 3, 10) == verdict("fcntl", 3, 15) == eperm
    assert verdict("ioctl", 0, 0x5401) == allow
    assert verdict("ioctl", 0, 0x5412) == eperm
    assert verdict("socketpair", 1, 0x80001) == allow
    assert verdict("socketpair", 1, 2) == verdict("socketpair", 2, 1) == verdict("socketpair", 1, 5) == eperm


def _run_filter(program: bytes, number: int, architecture: int, arguments: tuple[int, ...]) -> int:
    """Interpret a filter as the kernel does."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator = place = 0
    while True:
        code, if_true, if_false, constant = instructions[place]
        place += 1
        if code == 0x06:
            return constant
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, constant)
        elif code == 0x05:
            place += constant
        else:
            test = {
                0x15: accumulator == constant,
                0x35: accumulator >= constant,
                0x45: bool(accumulator & constant),
            }
            place += if_true if test[code] else if_false


@pytest.mark.parametrize(
    ("header", "column"),
    [("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", 0), ("/usr/include/asm-generic/unistd.h", 1)],
)
def test_the_numbers_are_the_kernels(header, column):
    if not Path(header).is_file():
        pytest.skip(f"no kernel headers at {header}")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(header).read_text())
    kernel = {("newfstatat" if column and name == "fstatat" else name): int(number) for name, number in found}
    own = {name: numbers[column] for name, numbers in NUMBERS.items() if numbers[column] is not None}
    missing = {name for name in own if name not in kernel and own[name] < 450}
    assert not missing
    assert {name: number for name, number in own.items() if kernel.get(name, number) != number} == {}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="uses Linux's folder descriptors")
def test_a_hostile_folder_is_emptied_and_no_link_followed(tmp_path):
    folder, outside = tmp_path / "box", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "precious").write_text("x")
    (folder / "link").symlink_to(outside)
    (folder / "closed").mkdir(0)
    (folder / "plain").write_text("x")
    here = os.open(folder, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d" * 100, dir_fd=here)
        deeper = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.symlink(outside, "link", dir_fd=deeper)
        os.close(here)
        here = deeper
    os.close(here)
    assert scratch.overfull(str(folder))
    scratch.empty(str(folder))
    assert list(folder.iterdir()) == []
    assert (outside / "precious").read_text() == "x"
    assert not scratch.overfull(str(folder))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="uses Linux's folder descriptors")
def test_names_in_a_folder_cannot_keep_it_from_being_emptied(tmp_path):
    for number in range(1, 6):
        taken = tmp_path / f".evalkit-{os.getpid()}-{number}"
        taken.mkdir()
        (taken / "x").touch()
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").mkdir(parents=True)
    scratch.empty(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_deleted_files_count_while_they_are_open(tmp_path):
    from evalkit.evals.sandbox.inside.guest import _deleted_files, _identity

    processes = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    with (tmp_path / "x").open("wb") as file:
        before = _deleted_files(processes, os.getpid(), ())
        file.write(b"x" * 2**20)
        file.flush()
        assert _deleted_files(processes, os.getpid(), ()) == before
        (tmp_path / "x").unlink()
        assert _deleted_files(processes, os.getpid(), ()) - before >= 2**20
        assert _deleted_files(processes, os.getpid(), {_identity(os.fstat(file.fileno()))}) == before
    os.close(processes)


def test_a_folder_is_overfull_by_size_or_by_count(tmp_path):
    (tmp_path / "big").write_bytes(b"x" * (17 << 20))
    assert scratch.overfull(str(tmp_path))
    (tmp_path / "big").unlink()
    for number in range(2050):
        (tmp_path / str(number)).touch()
    assert scratch.overfull(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "expected", "tolerance", "same"),
    [
        ("1\n2\n", "1\n2", 0, True),
        ("1 \r\n2\n\n", "1\n2", 0, True),
        ("1\n\n2", "1\n2", 0, False),
        ("1,0", "1.0", 0, False),
        ("1e2 0x10", "100 0x10", 0, True),
        ("nan", "NaN", 0, False),
        ("inf", "Infinity", 1.0, False),
        ("1.0000001", "1", 0, False),
        ("1.0000001", "1", 1e-6, True),
        ("да", "Да", 0, False),
        ("1e400", "2e400", 1e-6, False),
        ("1e999999999999999999", "-1e999999999999999999", 1e-6, False),
        ("9" * 100_000, "9" * 99_999 + "8", 0, False),
        ("9" * 100_000, "9" * 99_999 + "8", 1e-6, True),
        ("", "", 0, True),
    ],
)
def test_printed_text_is_compared_by_lines_and_numbers(text, expected, tolerance, same):
    assert same_text(text, expected, tolerance) is same


def test_values_are_compared_within_a_tolerance():
    assert close([1, {"a": (2.0001, None)}], [1.0, {"a": (2, None)}], 1e-3)
    assert not close([1, 2], (1, 2), 1e-3)
    assert not close([1], [1, 2], 1e-3)
    assert not close({"a": 1}, {"b": 1}, 1e-3)
    assert not close(10**400, 1.5, 1e-3)
    assert not close(float("nan"), 1.0, 1e-3)
    assert not close(float("inf"), 1.0, 1e-3)
    assert close(float("inf"), float("inf"), 1e-3)
    assert as_lists((1, [(2,), {"k": (3,)}])) == [1, [[2], {"k": [3]}]]


def test_pictures_of_values_are_short():
    for value in ("x\n" * 10**6, 1 << 10**6, list(range(10**5)), {"x" * number: 1 for number in range(99)}):
        assert len(shown(value)) <= 180
        assert "\n" not in shown(value)


def test_the_layout_shows_the_library_and_hides_the_packages():
    layout = find_layout()
    readable = layout.readable()
    assert any(json.__file__.startswith(path + "/") or json.__file__ == path for path in layout.visible)
    for package in (pytest.__file__, __file__):
        assert not any(package.startswith(path + "/") for path in readable)
