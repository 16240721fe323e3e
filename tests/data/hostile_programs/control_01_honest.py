# CONTROL plain correct solution
def mystery(n):
    return {1: 7919, 2: [104729, "жук"], 3: {"k": (1, 2)}}[n]
