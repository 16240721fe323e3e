# subclasses of plain types are the values they hold
import collections
import enum

Pair = collections.namedtuple("Pair", "left right")


class Number(enum.IntEnum):
    ELEVEN = 11


def secret(n):
    return [Number.ELEVEN, ["да", 22.0], collections.OrderedDict(k=Pair(1, 2))][n - 1]
