"""Names from the warehouse on buttons and links, where Streamlit would read Markdown: letter by letter, whatever signs they hold.

Elsewhere they are written with `st.html`, escaped: outside of buttons, Streamlit makes links of addresses however they are escaped.
"""

import re

_ADDRESS = re.compile(r"(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=www)(?=\.)|(?=@)", re.IGNORECASE)
"""Where an address that would be made a link can be parted: backslashes alone do not keep it from that."""
_UNSEEN = "\u2060"
_SIGNS = frozenset("\\`*_{}[]()<>#+-.!|~$:")


def plain(text: str) -> str:
    """`text` with the signs escaped that Markdown, maths and icons are made of, and addresses parted by a sign that is not seen."""
    return "".join("\\" + sign if sign in _SIGNS else sign for sign in _ADDRESS.sub(_UNSEEN, text))
