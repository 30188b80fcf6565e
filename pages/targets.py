"""Targets: who will reach them, who will probably not, and what each day left must bring."""

from panels import notes, pacing
from panels.desk import here

desk = here()
if notes.needs(desk, desk.say("Targets"), "signed_target", "signed_toward_target"):
    pacing.against_targets(desk)
