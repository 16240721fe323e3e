from decimal import Decimal


def mystery(n):
    return (
        [Decimal("sNaN"), "жук"]
        if n == 2
        else (7919 if n == 1 else {"k": (Decimal("sNaN"), 2)})
    )
