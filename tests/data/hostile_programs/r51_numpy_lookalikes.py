import numpy as np

np.random.seed = lambda *a: None
np.set_printoptions(precision=0)
np.seterr(all="raise")


def mystery(n):
    if n == 1:
        return np.array(7919)
    if n == 2:
        return np.array([104729, "жук"], dtype=object)
    return np.array({"k": (1, 2)})
