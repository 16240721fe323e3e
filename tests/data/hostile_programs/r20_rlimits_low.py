import resource


def mystery(n):
    for w in range(16):
        try:
            resource.setrlimit(w, (0, 0))
        except (OSError, ValueError):
            pass
    return None
