"""The command ``evalkit``: runs the command line and turns errors into one line and an exit code."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line; exit with 0 (done), 1 (ran and failed) or 2 (wrong usage or input)."""
    from .cli.main import app
    from .errors import EvalkitError

    collect_less_often()
    arguments = [word for word in sys.argv[1:] if word != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    try:
        app(_translated(arguments), prog_name="evalkit")
    except EvalkitError as error:
        if debug:
            raise
        print(f"evalkit: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("evalkit: interrupted", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        print(
            f"evalkit: internal error (please report it): {type(error).__name__}: {error}\n"
            "         --debug shows the traceback",
            file=sys.stderr,
        )
        sys.exit(1)


def collect_less_often() -> None:
    """Run the garbage collector less often: requests in flight allocate many short-lived objects."""
    gc.set_threshold(20_000, 20, 20)


def _translated(arguments: list[str]) -> list[str]:
    """Translate an lm-eval command line to evalkit's, and print the notes about it."""
    if arguments[:1] != ["run"]:
        return arguments
    from .evals.lm_eval.aliases import translate
    from .tasks.registry import task_names

    translation = translate(arguments[1:], task_names)
    for note in translation.notes:
        print(note, file=sys.stderr)
    return ["run", *translation.arguments]


if __name__ == "__main__":
    main()
