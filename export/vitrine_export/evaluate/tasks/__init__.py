"""The protocols of data without times, as papers use them: what is learned, who asks, what the answers are."""

from vitrine_export.evaluate.tasks.fixed_split import fixed_split
from vitrine_export.evaluate.tasks.leave_one_out import leave_one_out
from vitrine_export.evaluate.tasks.sessions import sessions
from vitrine_export.evaluate.tasks.task import Task

__all__ = ["Task", "fixed_split", "leave_one_out", "sessions"]
