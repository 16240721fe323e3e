"""Tasks: samples and their scorers; the data types, the base class, the plugin registry, one folder per task."""

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
