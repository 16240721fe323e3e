"""Asking and checking: the shared words, the registry of plugins, one folder a task."""

from .base import BaseTask
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
    "BaseTask",
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
