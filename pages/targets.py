"""Targets: who will reach them, who will probably not, and what each day left must bring."""

from pages import pacing, parts
from pages.desk import here

desk = here()
if parts.needs(desk, desk.say("Targets"), "signed_target", "signed_toward_target"):
    pacing.against_targets(desk)
