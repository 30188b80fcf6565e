"""config.toml, the environment and secrets.toml: what they say is followed, and what cannot be followed is said in a sentence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from data_access import settings as module
from data_access.settings import ROOT, SettingsError, absolute, settings

URL = "postgresql+psycopg://reader@host/bank"
SECRET = "postgresql+psycopg://reader:geheim@host/bank"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a config.toml and reads it as the only one there is."""
    for name in ("WAREHOUSE_URL", "DASHBOARD_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "ROOT", tmp_path)

    def read(text: str):
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        return settings()

    return read


def test_the_config_that_is_shipped_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_URL", raising=False)
    shipped = settings(ROOT / "config.toml")
    assert shipped.url == f"duckdb:///{ROOT / 'var' / 'warehouse.duckdb'}"
    assert not shipped.allow_anonymous
    assert (date(2026, 10, 1), -1) in shipped.days_off
    assert (date(2026, 10, 10), 1) in shipped.days_off


def test_what_is_not_said_is_closed_and_usual(config) -> None:
    found = config(f'[warehouse]\nurl = "{URL}"')
    assert (found.url, found.allow_anonymous, found.days_off, found.stale_after_days) == (URL, False, (), 7)


def test_the_environment_comes_before_the_secrets_and_these_before_the_file(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(f'[warehouse]\nurl = "{SECRET}"', encoding="utf-8")
    assert config(f'[warehouse]\nurl = "{URL}"').url == SECRET
    assert config("").url == SECRET
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql+psycopg://other@host/bank")
    assert config(f'[warehouse]\nurl = "{URL}"').url == "postgresql+psycopg://other@host/bank"


def test_dashboard_config_names_another_file(config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(f'[warehouse]\nurl = "{URL}"')
    other = tmp_path / "elsewhere" / "bank.toml"
    other.parent.mkdir()
    other.write_text('[warehouse]\nurl = "duckdb:///bank.duckdb"\n[access]\nallow_anonymous = true', encoding="utf-8")
    monkeypatch.setenv("DASHBOARD_CONFIG", str(other))
    assert settings().url == f"duckdb:///{tmp_path / 'elsewhere' / 'bank.duckdb'}"
    assert settings().allow_anonymous


def test_a_password_is_kept_in_the_url_that_is_connected_to(tmp_path: Path) -> None:
    assert absolute(SECRET, tmp_path) == SECRET


def test_a_holiday_at_a_weekend_takes_nothing_away_and_a_working_monday_adds_nothing(config) -> None:
    found = config(
        f'[warehouse]\nurl = "{URL}"\n[calendar]\nholidays = [2026-05-01, 2026-05-02]\n'
        "working_weekends = [2026-05-09, 2026-05-11]"
    )
    assert found.days_off == ((date(2026, 5, 1), -1), (date(2026, 5, 9), 1))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", ["config.toml", "[warehouse] url"]),
        ("[warehouse]\nurl = 3", ["[warehouse] url", "str", "int"]),
        ('[warehouse]\nurl = "no address"', ["not a URL", "duckdb:///"]),
        (f'[warehouse]\nurl = "{URL}"\nuser = "me"', ["[warehouse]", "user", "allow_anonymous"]),
        (f'[warehouse]\nurl = "{URL}"\n[acces]\nallow_anonymous = true', ["[acces]", "Known are"]),
        (f'[access]\nallow_anonymous = "yes"\n[warehouse]\nurl = "{URL}"', ["allow_anonymous", "bool", "str"]),
        (f'[warehouse]\nurl = "{URL}"\n[data]\nstale_after_days = true', ["stale_after_days", "int", "bool"]),
        (f'[warehouse]\nurl = "{URL}"\n[calendar]\nholidays = ["1 May"]', ["[calendar]", "'1 May'"]),
        (f'[warehouse]\nurl = "{URL}"\n[calendar]\nholidays = 2026-05-01', ["[calendar]", "holidays"]),
        (f'[warehouse]\nurl = "{URL}"\n[calendar]\nholidays = [2026-05-01T00:00:00]', ["[calendar]", "2026-10-01"]),
        (f'warehouse = "{URL}"', ["warehouse"]),
        ("[warehouse", ["config.toml", "cannot be read"]),
    ],
)
def test_a_mistake_in_the_config_is_told_in_a_sentence_that_names_it(config, text: str, named: list[str]) -> None:
    with pytest.raises(SettingsError) as told:
        config(text)
    for part in named:
        assert part in str(told.value)


def test_a_missing_config_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no bank\.toml"):
        settings(tmp_path / "bank.toml")


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        settings(tmp_path / "config.toml")


def test_a_wrong_url_does_not_say_its_password(config) -> None:
    with pytest.raises(SettingsError) as told:
        config('[warehouse]\nurl = "postgresql+psycopg//reader:geheim@host/bank"')
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize(
    "secrets",
    [
        '[warehouse.url]\ndrivername = "postgresql+psycopg"\npassword = "geheim"',
        f'[warehouse]\nurl = ["{SECRET}"]',
        f'warehouse = "{SECRET}"',
        f'[[warehouse]]\nurl = "{SECRET}"',
        f'[warehouse]\nurl = "{SECRET}',
        f"[warehouse]\nurl = {SECRET}",
        f'[warehouse]\nurl = "{SECRET.replace("://", ":")}"',
    ],
)
def test_a_mistake_in_the_secrets_does_not_say_the_password(config, tmp_path: Path, secrets: str) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(secrets, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"secrets\.toml|not a URL") as told:
        config(f'[warehouse]\nurl = "{URL}"')
    assert "geheim" not in str(told.value)


def test_a_reader_is_told_a_reference_and_the_log_what_is_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SettingsError) as told:
        settings(tmp_path / "bank.toml")
    shown = str(told.value.for_a_reader())
    ((reference, _, logged),) = [message.partition(": ") for message in caplog.messages]
    assert reference in shown
    assert logged == str(told.value)
    assert "bank.toml" in logged and str(tmp_path) in logged
    assert "bank.toml" not in shown and str(tmp_path) not in shown


@pytest.mark.parametrize("url", ["postgresql+psycopg://reader:geheim@host:port/bank", "duckdb:///"])
def test_an_address_that_leads_nowhere_is_told_without_its_password(config, url: str) -> None:
    with pytest.raises(SettingsError) as told:
        config(f'[warehouse]\nurl = "{url}"')
    assert "geheim" not in str(told.value)
