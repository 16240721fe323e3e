import math


def mystery(n):
    return [math.nan, [math.nan, "жук"], {"k": (math.nan, 2)}][n - 1]
