"""Running untrusted programs: tiers of isolation, warm worker processes, tamper-proof verdicts."""

from .probe import describe_sandbox, open_sandbox

__all__ = ["describe_sandbox", "open_sandbox"]
