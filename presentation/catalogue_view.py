"""The catalogue of measures as a reader's glossary."""

from __future__ import annotations

from html import escape

import streamlit as st

from measures.catalogue import LISTINGS, MEASURES, Catalogue
from measures.dimensions import DIMENSIONS
from measures.model import Better, Measure, Ratio, Unit, _
from presentation.words import Words

UNIT_LABELS = {
    Unit.COUNT: _("number"),
    Unit.SHARE: _("percentage"),
    Unit.RATE: _("rate"),
    Unit.DAYS: _("days"),
    Unit.INDEX: _("index; 1.00 is on pace"),
    Unit.AMOUNT: _("number, with decimals"),
}
BETTER_LABELS = {
    Better.HIGHER: _("higher is better"),
    Better.LOWER: _("lower is better"),
    Better.NEITHER: _("neither is better"),
}


def show(catalogue: Catalogue, say: Words) -> None:
    """Every measure by family: its meaning, how it is computed, what it can be split by; and what is missing for the others."""
    wanted = st.text_input(
        say("Search"), key="glossary_search", placeholder=say("Search the measures"), label_visibility="collapsed"
    )
    families = dict.fromkeys(measure.family for measure in MEASURES.values())
    for family in families:
        listed = [m for m in MEASURES.values() if m.family == family and _matches(m, wanted, say)]
        if listed:
            st.subheader(say(family), anchor=False)
            st.html("".join(_entry(catalogue.measures.get(m.name, m), catalogue, say) for m in listed))
    lacking = [name for name in LISTINGS if name in catalogue.missing]
    for name in lacking:
        st.caption(_lacks(say(LISTINGS[name].label), catalogue.missing[name], say))


def _matches(measure: Measure, wanted: str, say: Words) -> bool:
    return wanted.casefold() in f"{say(measure.label)} {say(measure.meaning)} {measure.name}".casefold()


def _entry(measure: Measure, catalogue: Catalogue, say: Words) -> str:
    facts = [say(UNIT_LABELS[measure.unit]), say(BETTER_LABELS[measure.better])]
    if isinstance(measure, Ratio):
        facts.insert(0, say("{over} ÷ {under}", over=say(measure.over.label), under=say(measure.under.label)))
    split = [say(d.label) for d in DIMENSIONS if d in measure.dimensions and not d.elapsed]
    split_by = say("Split by: {dimensions}", dimensions=say.listed(split))
    lacks = (
        _lacks(say(measure.label), catalogue.missing[measure.name], say) if measure.name in catalogue.missing else ""
    )
    return (
        f"<div style='margin:.2rem 0 1rem'><b>{escape(say(measure.label))}</b> <code>{escape(measure.name)}</code><br>"
        f"{escape(say(measure.meaning))}<br><small>{escape(' · '.join(facts))}<br>{escape(split_by)}"
        f"{'<br><b>' + escape(lacks) + '</b>' if lacks else ''}</small></div>"
    )


def _lacks(what: str, tables: tuple[str, ...], say: Words) -> str:
    return say("{what} cannot be shown: the warehouse has no {tables}.", what=what, tables=", ".join(tables))
