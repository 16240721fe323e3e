"""Asking and checking: the shared words, the registry of plugins, one folder a task."""

from .types import (
    Completion,
    Context,
    Message,
    Metric,
    Observation,
    Sample,
    Score,
    Status,
    Task,
    Usage,
    mean_value,
)

__all__ = [
    "Completion",
    "Context",
    "Message",
    "Metric",
    "Observation",
    "Sample",
    "Score",
    "Status",
    "Task",
    "Usage",
    "mean_value",
]
