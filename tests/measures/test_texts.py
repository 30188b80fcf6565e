"""What a text is written as where it could be taken for a formula or for a command."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from measures.texts import disarmed, printable

TEXTS = st.text(st.sampled_from("'=+-@＝ \t\n\u200baZ0客")) | st.text()


@given(TEXTS)
def test_no_text_that_was_disarmed_begins_like_a_formula_and_each_can_be_had_back(text: str) -> None:
    written = disarmed(text)
    assert written[:1] not in tuple("\t\r\n")
    assert "".join(written.split()).replace("\ufeff", "").replace("\u200b", "")[:1] not in tuple("=+-@＝＋－＠")
    assert written in (text, "'" + text)


@given(TEXTS, TEXTS)
def test_two_texts_are_never_written_alike(one: str, other: str) -> None:
    assert (disarmed(one) == disarmed(other)) == (one == other)


@given(st.text(), st.sampled_from("\x00\x07\x08\n\r\t\x1b\x7f\x85\x9b\u2028\u202e\u2066"), st.text())
def test_a_printed_text_stays_on_its_line_and_commands_nothing(before: str, command: str, after: str) -> None:
    printed = printable(before + command + after)
    assert command not in printed
    assert len(printed) == len(before + command + after)
    assert len(f"{printed}.".splitlines()) == 1


def test_what_is_no_command_is_printed_as_it_is() -> None:
    assert printable("客户 𠮷 é 👩‍💼 −3 %") == "客户 𠮷 é 👩‍💼 −3 %"
