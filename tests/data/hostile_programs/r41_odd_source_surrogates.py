def mystery(n):
    return "\udce9"


x = "\ud800"
print(x)
