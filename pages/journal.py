"""Journal: who took what, when and why."""

from panels import accounted
from panels.desk import here

accounted.journal(here())
