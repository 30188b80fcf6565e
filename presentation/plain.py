"""Names from the warehouse where Streamlit would read Markdown: shown letter by letter, whatever signs they hold."""

_SIGNS = frozenset("\\`*_{}[]()<>#+-.!|~$:")


def plain(text: str) -> str:
    """`text` with the signs escaped that Markdown, maths and icons are made of."""
    return "".join("\\" + sign if sign in _SIGNS else sign for sign in text)
