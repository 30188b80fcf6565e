"""config.toml, the environment and secrets.toml: what they say is followed, and what cannot be followed is said in a sentence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from data_access import settings as module
from data_access.access import Role
from data_access.settings import MOST_ROWS, ROOT, Limits, Mode, Quota, SettingsError, Several, Tls, absolute, settings

URL = "postgresql+psycopg://reader@host/bank"
SECRET = "postgresql+psycopg://reader:geheim@host/bank"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a config.toml and reads it as the only one there is."""
    for name in (
        *("WAREHOUSE_URL", "DASHBOARD_CONFIG", "JOURNAL_URL", "JOURNAL_KEY", "DASHBOARD_PROXY_SECRET"),
        *("MAIL_USER", "MAIL_PASSWORD"),
    ):
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
    assert shipped.access.mode is Mode.DEMO
    assert (date(2026, 10, 1), -1) in shipped.days_off
    assert (date(2026, 10, 10), 1) in shipped.days_off


def test_what_is_not_said_is_closed_and_usual(config) -> None:
    found = config(f'[warehouse]\nurl = "{URL}"')
    assert (found.url, found.access.mode, found.days_off, found.stale_after_days) == (URL, Mode.DEMO, (), 7)


def test_what_one_statement_and_the_engine_may_take_is_followed(config) -> None:
    assert config(f'[warehouse]\nurl = "{URL}"').limits == Limits(30, None, None, MOST_ROWS)
    said = 'statement_seconds = 90\nmemory = "2GB"\nthreads = 6'
    assert config(f'[warehouse]\nurl = "{URL}"\n{said}').limits == Limits(90, "2GB", 6, MOST_ROWS)
    assert config(f'[warehouse]\nurl = "{URL}"\nmemory = ""\nthreads = 0').limits == Limits(30, None, None, MOST_ROWS)


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
    other.write_text('[warehouse]\nurl = "duckdb:///bank.duckdb"\n[access]\nmode = "public"', encoding="utf-8")
    monkeypatch.setenv("DASHBOARD_CONFIG", str(other))
    assert settings().url == f"duckdb:///{tmp_path / 'elsewhere' / 'bank.duckdb'}"
    assert settings().access.mode is Mode.PUBLIC


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
        (f'[warehouse]\nurl = "{URL}"\nstatement_seconds = 0', ["[warehouse] statement_seconds", "from 1 upwards"]),
        (f'[warehouse]\nurl = "{URL}"\nstatement_seconds = "30"', ["[warehouse] statement_seconds", "int", "str"]),
        (f'[warehouse]\nurl = "{URL}"\nmemory = "80%"', ["[warehouse] memory", '"2GB"', "'80%'"]),
        (f'[warehouse]\nurl = "{URL}"\nmemory = "99MB"', ["[warehouse] memory", "from 100MB upwards"]),
        (f'[warehouse]\nurl = "{URL}"\nmemory = "2GB\'; --"', ["[warehouse] memory"]),
        (f'[warehouse]\nurl = "{URL}"\nmemory = 2', ["[warehouse] memory", "str", "int"]),
        (f'[warehouse]\nurl = "{URL}"\nthreads = -1', ["[warehouse] threads", "up to 256", "-1"]),
        (f'[warehouse]\nurl = "{URL}"\nthreads = 257', ["[warehouse] threads", "257"]),
        (f'[warehouse]\nurl = "{URL}"\nuser = "me"', ["[warehouse]", "user", "session_hours"]),
        (f'[warehouse]\nurl = "{URL}"\n[acces]\nmode = "public"', ["[acces]", "Known are"]),
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


# Who is let in ------------------------------------------------------------------------------------------------------

BANK = f'[warehouse]\nurl = "{URL}"\n'
KEY = "k" * 31 + "/"
AUTH = {
    "redirect_uri": "https://dashboard.bank.example/oauth2callback",
    "cookie_secret": KEY,
    "client_id": "dashboard",
    "client_secret": "geheim",
    "server_metadata_url": "https://sign-in.bank.example/.well-known/openid-configuration",
}
PROXY = {
    "addresses": ["127.0.0.1/32", "10.1.2.0/24", "::1"],
    "secret_header": "X-Secret",
    "person_header": "X-Person",
    "groups_header": "X-Groups",
}


def as_toml(heading: str, entries: dict) -> str:
    return f"[{heading}]\n" + "".join(f"{name} = {value!r}\n" for name, value in entries.items())


@pytest.fixture
def secrets(tmp_path: Path):
    """Writes secrets.toml."""

    def write(text: str) -> None:
        (tmp_path / ".streamlit").mkdir(exist_ok=True)
        (tmp_path / ".streamlit" / "secrets.toml").write_text(text, encoding="utf-8")

    return write


def test_what_is_not_said_of_access_is_narrow(config, tmp_path: Path) -> None:
    found = config(BANK).access
    assert (found.mode, found.people, found.several) == (Mode.DEMO, tmp_path / "access.toml", Several.MOST_RESTRICTIVE)
    assert (found.person_claim, found.groups_claim, found.proxy, found.https) == ("email", "groups", None, True)
    assert (found.idle_minutes, found.session_hours, found.fewest_customers, found.export_days) == (30, 10, 5, 30)
    assert (found.journal, found.journal_key) == (f"sqlite:///{tmp_path / 'var' / 'journal.db'}", "")
    assert set(found.quotas) == set(Role) - {Role.VISITOR}


def test_what_the_shipped_config_says_of_access_is_what_holds_without_it(config, monkeypatch, tmp_path: Path) -> None:
    shipped = (Path(__file__).resolve().parents[2] / "config.toml").read_text(encoding="utf-8")
    assert config(shipped).access == config(BANK).access


def test_what_is_said_of_access_is_followed(config, tmp_path: Path) -> None:
    found = config(
        BANK + '[access]\nmode = "public"\npeople = "../people.toml"\nseveral = "person first"\nperson_claim = "sub"\n'
        'groups_claim = "roles"\nidle_minutes = 1\nsession_hours = 2\nhttps = false\nfewest_customers = 3\n'
        'whom_to_ask = "Wang Fang"\nexport_days = 4\njournal = "sqlite:///j.db"\n'
        '[access.quotas]\n"branch manager" = { files = 0, rows = 7 }'
    ).access
    assert (found.mode, found.people, found.several) == (
        Mode.PUBLIC,
        tmp_path.parent / "people.toml",
        Several.PERSON_FIRST,
    )
    assert (found.person_claim, found.groups_claim, found.https, found.whom_to_ask) == (
        "sub",
        "roles",
        False,
        "Wang Fang",
    )
    assert (found.idle_minutes, found.session_hours, found.fewest_customers, found.export_days) == (1, 2, 3, 4)
    assert found.journal == f"sqlite:///{tmp_path / 'j.db'}"
    assert found.quotas[Role.MANAGER] == Quota(files=0, rows=7)
    assert found.quotas[Role.LEADER] == config(BANK).access.quotas[Role.LEADER]
    assert config(BANK + '[access]\npeople = "warehouse"').access.people is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("allow_anonymous = true", ["allow_anonymous", 'mode = "public"']),
        ("allow_anonymous = false", ["allow_anonymous", 'mode = "demo"']),
        ('mode = "open"', ["mode", "demo", "public", "oidc", "proxy", "'open'"]),
        ("mode = true", ["mode", "str", "bool"]),
        ('several = "all"', ["several", "most restrictive", "person first"]),
        ('people = ""', ["people", "empty"]),
        ("people = 3", ["people", "str", "int"]),
        ('person_claim = " "', ["person_claim", "empty"]),
        ("idle_minutes = 0", ["idle_minutes", "from 1"]),
        ("idle_minutes = 1.5", ["idle_minutes", "int", "float"]),
        ("session_hours = true", ["session_hours", "int", "bool"]),
        ("fewest_customers = -5", ["fewest_customers", "from 1"]),
        ("export_days = '30'", ["export_days", "int", "str"]),
        ('https = "no"', ["https", "bool", "str"]),
        ("whom_to_ask = 17", ["whom_to_ask", "str", "int"]),
        ('journal = "mysql://host/journal"', ["journal", "sqlite:///"]),
        ('journal = "sqlite://"', ["journal", "sqlite:///"]),
        ('journal = "journal.db"', ["journal", "sqlite:///"]),
        ("idle = 3", ["idle", "idle_minutes"]),
        ('proxy = "10.0.0.1"', ["proxy"]),
        ("[access.quotas]\nvisitor = { files = 1, rows = 1 }", ["visitor", "branch manager"]),
        ("[access.quotas]\nagent = 3", ["agent", "dict", "int"]),
        ("[access.quotas]\nagent = { files = 3 }", ["agent", "files = 50"]),
        ("[access.quotas]\nagent = { files = 3, rows = -1 }", ["agent", "files = 50"]),
        ("[access.quotas]\nagent = { files = 3, rows = true }", ["agent", "files = 50"]),
        ('[access.proxy]\nadress = "10.0.0.1"', ["adress", "addresses"]),
    ],
)
def test_a_mistake_in_what_is_said_of_access_is_told(config, text: str, named: list[str]) -> None:
    with pytest.raises(SettingsError) as told:
        config(f"{BANK}[access]\n{text}")
    for part in named:
        assert part in str(told.value)


def test_sign_in_needs_what_streamlit_needs(config, secrets) -> None:
    with pytest.raises(SettingsError, match=r"mode is \"oidc\".*no \[auth\].*redirect_uri"):
        config(BANK + '[access]\nmode = "oidc"')
    secrets(as_toml("auth", AUTH) + '[auth.client_kwargs]\nscope = "openid email"')
    assert config(BANK + '[access]\nmode = "oidc"').access.mode is Mode.OIDC


LOCAL = {
    "redirect_uri": "http://127.0.0.1:8501/oauth2callback",
    "server_metadata_url": "http://localhost:9000/.well-known/openid-configuration",
}


def test_on_this_computer_sign_in_may_do_without_https(config, secrets) -> None:
    secrets(as_toml("auth", AUTH | LOCAL))
    assert not config(BANK + '[access]\nmode = "oidc"\nhttps = false').access.https


@pytest.mark.parametrize(
    ("changed", "https", "named"),
    [
        *(({name: None}, True, ["auth", name]) for name in AUTH),
        *(({name: ""}, True, ["auth", name]) for name in AUTH),
        ({"cookie_secret": KEY[1:]}, True, ["cookie_secret", "32 characters", "token_hex"]),
        ({"redirect_uri": "https://dashboard.bank.example/"}, True, ["redirect_uri", "/oauth2callback"]),
        ({"redirect_uri": "http://dashboard.bank.example/oauth2callback"}, True, ["redirect_uri", "https://"]),
        ({"redirect_uri": "http://127.0.0.1.bank.example/oauth2callback"}, True, ["redirect_uri", "https://"]),
        ({"redirect_uri": "http://127.0.0.1@bank.example/oauth2callback"}, True, ["redirect_uri", "https://"]),
        ({"server_metadata_url": "http://sign-in.bank.example/x"}, True, ["server_metadata_url", "https://"]),
        ({"server_metadata_url": "/well-known"}, True, ["server_metadata_url", "https://"]),
        ({}, False, ["https is false", "redirect_uri"]),
        ({"google": {"client_id": "other"}}, True, ["auth.google", "one"]),
    ],
)
def test_sign_in_that_would_fail_or_let_others_listen_is_told(config, secrets, changed, https, named) -> None:
    said = {name: value for name, value in (AUTH | changed).items() if value is not None}
    tables = {name: said.pop(name) for name in list(said) if isinstance(said[name], dict)}
    secrets(as_toml("auth", said) + "".join(as_toml(f"auth.{name}", table) for name, table in tables.items()))
    with pytest.raises(SettingsError) as told:
        config(f'{BANK}[access]\nmode = "oidc"\nhttps = {str(https).lower()}')
    for part in named:
        assert part in str(told.value)
    assert "geheim" not in str(told.value) and KEY[1:] not in str(told.value)


def behind_proxy(**changed: object) -> str:
    said = {name: value for name, value in (PROXY | changed).items() if value is not None}
    return f'{BANK}[access]\nmode = "proxy"\n{as_toml("access.proxy", said)}'


def test_a_proxy_is_believed_by_its_address_and_secret(config, secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets(as_toml("proxy", {"secret": KEY}))
    found = config(behind_proxy()).access.proxy
    assert [str(network) for network in found.addresses] == ["127.0.0.1/32", "10.1.2.0/24", "::1/128"]
    assert (found.secret, found.secret_header, found.name_header) == (KEY, "X-Secret", "")
    monkeypatch.setenv("DASHBOARD_PROXY_SECRET", KEY[::-1])
    assert config(behind_proxy(name_header="X-Name")).access.proxy.secret == KEY[::-1]
    assert config(BANK).access.proxy is None


@pytest.mark.parametrize(
    ("changed", "secret", "named"),
    [
        ({}, None, ["DASHBOARD_PROXY_SECRET", "[proxy] secret", "X-Secret"]),
        ({}, KEY[1:], ["32 characters"]),
        ({}, KEY[1:] + "\u00e9", ["ASCII"]),
        ({}, KEY + "\n", ["ASCII"]),
        *(({name: None}, KEY, [name]) for name in PROXY),
        ({"addresses": []}, KEY, ["addresses", "127.0.0.1/32"]),
        ({"addresses": ["proxy.bank.example"]}, KEY, ["addresses", "proxy.bank.example"]),
        ({"addresses": ["10.1.2.3/24"]}, KEY, ["addresses", "10.1.2.3/24"]),
        ({"addresses": [2130706433]}, KEY, ["addresses", "2130706433"]),
        ({"addresses": ["0.0.0.0/0"]}, KEY, ["addresses", "whole internet"]),
        ({"addresses": "127.0.0.1"}, KEY, ["addresses", "list", "str"]),
        ({"person_header": ""}, KEY, ["person_header"]),
        ({"person_header": "X Person"}, KEY, ["'X Person'"]),
        ({"groups_header": "x-person"}, KEY, ["none twice"]),
    ],
)
def test_a_proxy_that_anybody_could_play_is_told(
    config, monkeypatch: pytest.MonkeyPatch, changed: dict, secret: str | None, named: list[str]
) -> None:
    if secret is not None:
        monkeypatch.setenv("DASHBOARD_PROXY_SECRET", secret)
    with pytest.raises(SettingsError) as told:
        config(behind_proxy(**changed))
    for part in named:
        assert part in str(told.value)
    assert KEY[1:] not in str(told.value)


def test_no_secret_stands_in_what_is_printed_of_the_settings(config, secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", SECRET)
    monkeypatch.setenv("JOURNAL_URL", SECRET)
    monkeypatch.setenv("JOURNAL_KEY", KEY)
    monkeypatch.setenv("DASHBOARD_PROXY_SECRET", KEY)
    found = config(behind_proxy())
    assert (found.url, found.access.journal, found.access.proxy.secret) == (SECRET, SECRET, KEY)
    assert found.access.journal_key == KEY
    assert "geheim" not in repr(found) and KEY not in repr(found)


def test_the_journals_key_comes_from_the_environment_before_the_secrets(
    config, secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets(f'[journal]\nkey = "{KEY}"')
    assert config(BANK).access.journal_key == KEY
    monkeypatch.setenv("JOURNAL_KEY", KEY[::-1])
    assert config(BANK).access.journal_key == KEY[::-1]


@pytest.mark.parametrize("key", ["geheim", "密" * 40])
def test_a_journals_key_that_could_be_guessed_or_mistyped_is_refused_and_not_repeated(
    config, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("JOURNAL_KEY", key)
    with pytest.raises(SettingsError, match="JOURNAL_KEY") as told:
        config(BANK)
    assert key not in str(told.value)


# Where mail is handed over --------------------------------------------------------------------------------------------

MAIL = f'[warehouse]\nurl = "{URL}"\n[mail]\nhost = "smtp.bank.example"\nfrom = "dashboard@bank.example"\n'


def test_without_the_section_nothing_is_sent_and_with_it_over_a_protected_connection(config, tmp_path: Path) -> None:
    assert config(f'[warehouse]\nurl = "{URL}"').mail is None
    found = config(MAIL).mail
    assert (found.host, found.port, found.tls, found.user) == ("smtp.bank.example", 587, Tls.STARTTLS, "")
    assert (found.sender, found.sender_name) == ("dashboard@bank.example", "")
    assert found.recipients == tmp_path / "recipients.toml"
    assert config(MAIL + 'tls = "implicit"').mail.port == 465
    assert config(MAIL + "port = 2525").mail.port == 2525
    named = config(MAIL.replace('"dashboard@bank.example"', '"营销 <dashboard@bank.example>"')).mail
    assert (named.sender, named.sender_name) == ("dashboard@bank.example", "营销")


def test_who_signs_in_at_the_mail_server_is_no_entry_of_the_config_and_never_shown(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="password"):
        config(MAIL + 'password = "geheim"')
    (tmp_path / ".streamlit").mkdir()
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.write_text('[mail]\nuser = "dashboard"\npassword = "geheim"', encoding="utf-8")
    found = config(MAIL)
    assert (found.mail.user, found.mail.password) == ("dashboard", "geheim")
    assert "geheim" not in repr(found)
    monkeypatch.setenv("MAIL_USER", "other")
    monkeypatch.setenv("MAIL_PASSWORD", "s3cret")
    assert (config(MAIL).mail.user, config(MAIL).mail.password) == ("other", "s3cret")
    secrets.unlink()
    monkeypatch.delenv("MAIL_PASSWORD")
    with pytest.raises(SettingsError, match="MAIL_PASSWORD"):
        config(MAIL)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_connection_without_protection_leads_to_this_computer_alone(config, host: str) -> None:
    assert config(MAIL.replace("smtp.bank.example", host) + 'tls = "none"').mail.port == 25
    with pytest.raises(SettingsError, match="others could read what is sent"):
        config(MAIL + 'tls = "none"')


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[mail]\nfrom = "a@b.example"', "lacks [mail] host"),
        ('[mail]\nhost = "smtp"', "lacks [mail] from"),
        ('[mail]\nhost = "smtp:587"\nfrom = "a@b.example"', "without a port"),
        ('[mail]\nhost = "smtp"\nfrom = "nobody"', "[mail] from is an address"),
        ('[mail]\nhost = "smtp"\nfrom = "a@b.example\\nBcc: c@d.example"', "[mail] from is an address"),
        ('[mail]\nhost = "smtp"\nfrom = "a@b.example, c@d.example"', "[mail] from is an address"),
        ('[mail]\nhost = "smtp"\nfrom = "a@b.example"\ntls = "ssl"', '"starttls", "implicit", "none"'),
        ('[mail]\nhost = "smtp"\nfrom = "a@b.example"\nport = 0', "from 1 to 65535"),
        ('[mail]\nhost = "smtp"\nfrom = "a@b.example"\nuser = "me"', "entry that nothing reads: [mail] user"),
    ],
)
def test_a_mistake_about_mail_is_told_in_a_sentence(config, text: str, named: str) -> None:
    with pytest.raises(SettingsError) as told:
        config(f'[warehouse]\nurl = "{URL}"\n{text}')
    assert named in str(told.value)
