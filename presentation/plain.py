"""Names from the warehouse on buttons and links, where Streamlit would read Markdown: letter by letter, whatever signs they hold.

Elsewhere they are written with `st.html`, escaped: outside of buttons, Streamlit makes links of addresses however they are escaped.
"""

_SIGNS = frozenset("\\`*_{}[]()<>#+-.!|~$:")


def plain(text: str) -> str:
    """`text` with the signs escaped that Markdown, maths and icons are made of."""
    return "".join("\\" + sign if sign in _SIGNS else sign for sign in text)
