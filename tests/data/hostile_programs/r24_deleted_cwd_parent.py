import os, shutil


def mystery(n):
    here = os.getcwd()
    for act in (
        lambda: os.rmdir(here),
        lambda: os.rename(here, here + "x"),
        lambda: os.chmod(here, 0),
        lambda: os.symlink("/tmp/evk_canary", here + "/c"),
        lambda: os.rename(here + "/c", os.path.dirname(here) + "/evk_canary/c"),
    ):
        try:
            act()
        except OSError:
            pass
    return None
