"""Tasks that the tests name by file."""

from evalkit.tasks.imo import imo_mini
from evalkit.tasks.rumtbench import rumtbench_mini

proofs = imo_mini
chats = rumtbench_mini
