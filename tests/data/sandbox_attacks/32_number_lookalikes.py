# values that compare as equal, or count as true, without being so
import decimal
import fractions


class Text(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


class Keys(dict):
    def __eq__(self, other):
        return True

    def items(self):
        return [("k", (1, 2))]


def secret(n):
    return [decimal.Decimal("NaN"), [Text("нет"), fractions.Fraction(22)], Keys()][
        n - 1
    ]
