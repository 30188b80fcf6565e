"""Meeting: the week's results, what stands out, what was agreed, and what comes next, for a room to look at."""

from panels.desk import here
from panels.meeting import meeting

meeting(here())
