"""Makes templates/meeting.pptx, how a meeting's deck looks: `python -m presentation.template`.

A bank puts a file of its own in its place. What the deck needs of it are the layouts and placeholders of `LAYOUTS`, by name.
"""

from __future__ import annotations

import io
import re
from collections.abc import MutableMapping
from pathlib import Path

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.oxml import parse_xml
from pptx.oxml.ns import qn
from pptx.slide import SlideMaster
from pptx.util import Emu, Inches

from presentation.colours import LIGHT

FILE = Path(__file__).resolve().parent.parent / "templates" / "meeting.pptx"
OPENING, FINDING = "Opening", "Finding"
TITLE, SUBTITLE, CONTENT, NOTE, FOOT, NUMBER = "Title", "Subtitle", "Content", "Note", "Foot", "Number"
LAYOUTS = {OPENING: (TITLE, SUBTITLE, FOOT), FINDING: (TITLE, SUBTITLE, CONTENT, NOTE, FOOT, NUMBER)}
"""The layouts that a deck is made of, and the placeholders that each has."""

_WIDTH, _HEIGHT = 13.333, 7.5
_MARGIN = 0.6
_WHOLE = _WIDTH - 2 * _MARGIN
# Type, number, then left, top, width, height in inches, size in points, bold, colour of the theme, where the text stands.
_PLACED = {
    OPENING: {
        TITLE: ("title", 0, _MARGIN + 0.3, 2.1, _WHOLE - 0.6, 1.7, 40, True, "tx1", "b", "l"),
        SUBTITLE: ("body", 1, _MARGIN + 0.3, 3.95, _WHOLE - 0.6, 1.4, 20, False, "tx2", "t", "l"),
        FOOT: ("body", 13, _MARGIN + 0.3, 6.95, _WHOLE - 0.6, 0.3, 12, False, "tx2", "ctr", "l"),
    },
    FINDING: {
        TITLE: ("title", 0, _MARGIN, 0.35, _WHOLE, 1.25, 28, True, "tx1", "b", "l"),
        SUBTITLE: ("body", 1, _MARGIN, 1.66, _WHOLE, 0.52, 14, False, "tx2", "t", "l"),
        CONTENT: ("body", 2, _MARGIN, 2.3, _WHOLE, 3.95, 18, False, "tx1", "t", "l"),
        NOTE: ("body", 14, _MARGIN, 6.3, _WHOLE, 0.64, 12, False, "tx2", "b", "l"),
        FOOT: ("body", 13, _MARGIN, 7.02, _WHOLE - 1.3, 0.3, 12, False, "tx2", "ctr", "l"),
        NUMBER: ("sldNum", 12, _WIDTH - _MARGIN - 1.2, 7.02, 1.2, 0.3, 12, False, "tx2", "ctr", "r"),
    },
}
_SPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)


def made() -> bytes:
    """The template: two layouts on white, in the colours of the house. It names no font for Chinese: the deck does, by language."""
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDTH), Inches(_HEIGHT)
    master = deck.slide_master
    for layout in list(deck.slide_layouts)[2:]:
        deck.slide_layouts.remove(layout)
    for layout, (name, placed) in zip(deck.slide_layouts, _PLACED.items(), strict=True):
        shapes = [_bar(name), *(_placeholder(at, *one) for at, one in enumerate(placed.items(), start=3))]
        tree = layout.element.cSld.spTree
        for shape in list(layout.shapes):
            tree.remove(shape.element)
        for shape in shapes:
            tree.append(parse_xml(shape))
        layout.element.cSld.set("name", name)
        layout.element.attrib.pop("type")  # it would promise PowerPoint's own placeholders
    for shape, (left, top, width, height) in zip(
        master.placeholders,
        ((_MARGIN, 0.35, _WHOLE, 1.25), (_MARGIN, 2.3, _WHOLE, 3.95), *(3 * ((_MARGIN, 7.02, 3, 0.3),))),
        strict=True,
    ):
        shape.left, shape.top, shape.width, shape.height = (Inches(each) for each in (left, top, width, height))
    # LibreOffice takes the place and the manner of a title from the master alone.
    _left_and_bold(master)
    theme = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme.blob = _in_our_colours(theme.blob.decode("utf-8")).encode("utf-8")
    deck.element.sldSz.attrib.pop("type")  # it would be called a screen of 4 : 3
    _drop(deck.part.rels, RELATIONSHIP_TYPE.PRINTER_SETTINGS)
    _drop(deck.part.package._rels, RELATIONSHIP_TYPE.THUMBNAIL)
    about = deck.core_properties
    about.title, about.author, about.last_modified_by = "Meeting", "", ""
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


def _left_and_bold(master: SlideMaster) -> None:
    (level,) = master.element.findall(f"{qn('p:txStyles')}/{qn('p:titleStyle')}/{qn('a:lvl1pPr')}")
    level.set("algn", "l")
    level.find(qn("a:defRPr")).set("sz", "2800")
    level.find(qn("a:defRPr")).set("b", "1")
    title = next(shape for shape in master.placeholders if shape.placeholder_format.type == PP_PLACEHOLDER.TITLE)
    title.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM
    for side in ("left", "right", "top", "bottom"):
        setattr(title.text_frame, f"margin_{side}", 0)


def _drop(related: MutableMapping, kind: str) -> None:
    for number in [number for number, other in related.items() if other.reltype == kind]:
        related.pop(number)


def _bar(layout: str) -> str:
    """The one mark of colour: beside the opening's title, and as a thin line at the head of every other slide."""
    box = (_MARGIN, 2.2, 0.09, 3.0) if layout == OPENING else (0, 0, _WIDTH, 0.07)
    left, top, width, height = (int(Emu(Inches(each))) for each in box)
    return (
        f'<p:sp {_SPACES}><p:nvSpPr><p:cNvPr id="2" name="Line"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr><a:xfrm>'
        f'<a:off x="{left}" y="{top}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        '<a:solidFill><a:schemeClr val="accent1"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr></p:sp>'
    )


def _placeholder(id_: int, name: str, placed: tuple) -> str:
    kind, number, left, top, width, height, size, bold, colour, anchor, align = placed
    left, top, width, height = (int(Emu(Inches(each))) for each in (left, top, width, height))
    levels = "".join(
        f'<a:lvl{level}pPr marL="0" indent="0" algn="{align}"><a:lnSpc><a:spcPct val="100000"/></a:lnSpc>'
        f'<a:spcBef><a:spcPts val="0"/></a:spcBef><a:buNone/><a:defRPr sz="{size * 100}" b="{int(bold)}">'
        f'<a:solidFill><a:schemeClr val="{colour}"/></a:solidFill></a:defRPr></a:lvl{level}pPr>'
        for level in (1, 2)
    )
    text = f"<a:r><a:rPr/><a:t>{name}</a:t></a:r>"
    if kind == "sldNum":
        text = '<a:fld id="{5A0B4A3E-6C0F-4B8E-9E57-0D7F6C1B2A11}" type="slidenum"><a:rPr/><a:t>‹#›</a:t></a:fld>'
    return (
        f'<p:sp {_SPACES}><p:nvSpPr><p:cNvPr id="{id_}" name="{name}"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr>'
        f'<p:nvPr><p:ph type="{kind}" idx="{number}"/></p:nvPr></p:nvSpPr><p:spPr><a:xfrm><a:off x="{left}" y="{top}"/>'
        f'<a:ext cx="{width}" cy="{height}"/></a:xfrm></p:spPr><p:txBody>'
        f'<a:bodyPr lIns="0" tIns="0" rIns="0" bIns="0" anchor="{anchor}"><a:normAutofit/></a:bodyPr>'
        f"<a:lstStyle>{levels}</a:lstStyle><a:p>{text}</a:p></p:txBody></p:sp>"
    )


def _in_our_colours(theme: str) -> str:
    """The theme with the house's colours and Arial; no font for Chinese characters."""
    accents = (LIGHT.accent, *LIGHT.categories[1:6])
    colours = {"dk1": LIGHT.text, "lt1": LIGHT.page, "dk2": LIGHT.muted, "lt2": LIGHT.empty}
    colours |= {f"accent{at}": colour for at, colour in enumerate(accents, start=1)}
    colours |= {"hlink": LIGHT.accent, "folHlink": LIGHT.muted}
    said = "".join(
        f'<a:{name}><a:srgbClr val="{colour.lstrip("#").upper()}"/></a:{name}>' for name, colour in colours.items()
    )
    theme = re.sub(
        r"<a:clrScheme .*?</a:clrScheme>", f'<a:clrScheme name="House">{said}</a:clrScheme>', theme, flags=re.S
    )
    return re.sub(r'<a:latin typeface="[^"]*"[^>]*/>', '<a:latin typeface="Arial"/>', theme)


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(made())
