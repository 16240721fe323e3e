# deep recursion in a thread with a large stack
import sys
import threading

sys.setrecursionlimit(100000)
threading.stack_size(64 << 20)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def secret(n):
    found = []
    thread = threading.Thread(target=lambda: found.append(depth(20000)))
    thread.start()
    thread.join()
    assert found == [20000]
    return {1: 11, 2: ["да", 22], 3: {"k": (1, 2)}}[n]
