"""Glossary: every measure with its meaning, what it can be split by, and what is missing for the rest."""

from panels.desk import here
from presentation import catalogue_view

desk = here()
catalogue_view.show(desk.state.catalogue, desk.say)
