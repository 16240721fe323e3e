# changes every global state it can reach
import builtins, decimal, gc, locale, os, random, signal, sys, threading, time, warnings, json, math, collections

sys.setrecursionlimit(50000)
sys.set_int_max_str_digits(0)
os.umask(0o777)
os.environ.clear()
os.environ["PYTHONPATH"] = "/evil"
for s in range(1, 64):
    try:
        signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
try:
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
except Exception:
    pass
decimal.getcontext().prec = 1
random.seed = lambda *a: None
warnings.filterwarnings("error")
gc.disable()
sys.setswitchinterval(100)
threading.stack_size(16 << 20)
sys.path[:] = ["/nowhere"]
sys.meta_path.clear()
json.dumps = json.loads = lambda *a, **k: "7919"
math.sqrt = len
collections.Counter = dict
for k in list(sys.modules):
    if k not in ("sys", "builtins"):
        sys.modules[k] = None
os.mkdir("sub")
os.chdir("sub")
try:
    os.rmdir("../sub")
except OSError:
    pass
builtins.len = builtins.sum = builtins.print = lambda *a, **k: 0


def mystery(n):
    return None
