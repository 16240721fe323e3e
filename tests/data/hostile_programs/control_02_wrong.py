# CONTROL plain wrong solution
def mystery(n):
    return 1
