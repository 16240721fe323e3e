from decimal import Decimal


def mystery(n):
    return Decimal("sNaN")
