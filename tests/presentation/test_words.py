"""The program speaks the reader's language, and says what has no word as it is."""

from __future__ import annotations

import pandas as pd
import pytest

from measures.catalogue import DIMENSION, LISTINGS, MEASURES
from measures.dimensions import BELOW, CAUSE, PRODUCT
from measures.question import QuestionError
from presentation.words import browser_language, words


def test_english_is_what_the_texts_are_written_in():
    assert words("en")("Complaints received") == "Complaints received"


def test_chinese_readers_get_the_banks_own_terms():
    assert words("zh_CN")("Substitution rate") == "电子渠道交易替代率"
    assert words("zh_CN")("Complaints received") == "投诉受理数"


def test_taiwan_reads_traditional_characters():
    assert words("zh_TW")("Complaints received") == "投訴受理數"


def test_a_text_without_translation_is_said_in_english():
    assert words("zh_CN")("Nobody has translated this") == "Nobody has translated this"


def test_parts_are_put_into_the_translated_text_not_translated_themselves():
    said = words("zh_CN")("There is no branch with the id “{id}” here.", id="Total")
    assert "Total" in said
    assert "{id}" not in said


def test_braces_in_a_part_are_no_fields():
    assert words("en")("You see: {scope}", scope="{person.__class__}") == "You see: {person.__class__}"


def test_a_text_without_parts_keeps_its_braces():
    assert words("en")("{measure} {") == "{measure} {"


@pytest.mark.parametrize(("n", "said"), [(0, "0 branches below"), (1, "1 branch below"), (2, "2 branches below")])
def test_english_tells_one_from_many(n, said):
    assert words("en").plural("{n} branch below", "{n} branches below", n) == said


@pytest.mark.parametrize("n", [0, 1, 2])
def test_chinese_has_one_form_for_any_number(n):
    assert words("zh_CN").plural("{n} branch below", "{n} branches below", n) == f"下级机构 {n} 家"


def test_an_error_is_told_in_the_readers_language():
    error = QuestionError("There is no measure “{name}”. Known are: {known}.", name="x", known="signed")
    assert words("zh_CN").told(error) == "没有指标“x”。现有指标：signed。"
    assert words("en").told(error) == str(error)


def test_codes_are_said_in_words_and_unknown_codes_as_they_are():
    assert words("zh_CN").value(CAUSE, "queueing") == "排队等候"
    assert words("zh_CN").value(CAUSE, "alien_invasion") == "alien_invasion"


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_a_missing_value_is_not_recorded_but_booked_on_the_branch_where_the_branch_below_is_asked(missing):
    assert words("en").value(PRODUCT, missing) == "not recorded"
    assert words("en").value(BELOW, missing) == "booked on the branch itself"


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("zh-CN", "zh_CN"), ("zh", "zh_CN"), ("zh-SG", "zh_CN"), ("zh-Hans-HK", "zh_CN"),
        ("zh-TW", "zh_TW"), ("zh-HK", "zh_TW"), ("zh-MO", "zh_TW"), ("zh-Hant", "zh_TW"), ("zh_Hant_CN", "zh_TW"),
        ("en-GB", "en"), ("de", "en"), ("", "en"), (None, "en"), ("zha", "en"),
    ],
)  # fmt: skip
def test_the_browser_is_answered_in_the_script_it_reads(locale, language):
    assert browser_language(locale) == language


def test_a_language_that_is_not_spoken_is_refused_by_name():
    with pytest.raises(ValueError, match="en, zh_CN, zh_TW; got 'fr'"):
        words("fr")


CHINESE = {chr(point) for point in range(0x4E00, 0xA000)}


@pytest.mark.parametrize("language", ["zh_CN", "zh_TW"])
def test_every_measure_dimension_value_and_listing_has_chinese_words(language):
    say = words(language)
    texts = [text for m in MEASURES.values() for text in (m.label, m.meaning, m.family)]
    texts += [text for d in DIMENSION.values() for text in (d.label, *d.values.values())]
    for listing in LISTINGS.values():
        texts += [listing.label, listing.meaning, *(column.label for column in listing.columns)]
        texts += [text for column in listing.columns for text in column.values.values()]
    untranslated = [text for text in texts if not set(say(text)) & CHINESE]
    assert untranslated == []


@pytest.mark.parametrize("language", ["zh_CN", "zh_TW"])
def test_no_two_measures_of_a_family_are_called_the_same(language):
    for among in (language, "en"):
        labels = [(m.family, words(among)(m.label)) for m in MEASURES.values()]
        assert len(labels) == len(set(labels))
