"""The files of the weekly meeting as they arrive: at a mail server of our own, opened by other libraries than wrote them."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import openpyxl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from docx import Document
from pptx import Presentation

import deliver
from data_access import mail
from data_access.journal import Action, journal_of
from data_access.settings import settings
from measures.period import Preset, preset_period
from tests import bank

USER = "dashboard"
PASSWORD = "s3cret"
WEEK = "2026-05-18"
HEAD, MANAGER, PARK = "head@bank.example", "manager@bank.example", "park@bank.example"
SCOPES = {HEAD: "1", MANAGER: "12", PARK: "121"}
ALL_PLACES = {row["branch_id"]: row for row in bank.BANK["branches"]}

CONFIG = """
[warehouse]
url = "{url}"
[access]
mode = "proxy"
journal = "sqlite:///journal.db"
whom_to_ask = "Zhou, 5501"
[access.proxy]
addresses = ["127.0.0.1/32"]
secret_header = "X-Secret"
person_header = "X-Person"
groups_header = "X-Groups"
"""
MAIL = """
[mail]
host = "127.0.0.1"
port = {port}
tls = "{tls}"
from = "Branch marketing · 营销 <dashboard@bank.example>"
"""


# The mail server ----------------------------------------------------------------------------------------------------


@dataclass
class Server:
    """What it has taken, and how it answers: to an address, first what is listed for it, then that all is well."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(self, _server, session, envelope, address, _options) -> str:  # noqa: N802
        self.asked.append(address)
        self.protected.append(session.ssl is not None)
        if self.answers.get(address):
            return self.answers[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope) -> str:  # noqa: N802
        (address,) = envelope.rcpt_tos
        answer = (self.answers.get(f"data {address}") or ["250 taken"]).pop(0)
        if answer == "lost":
            server.transport.abort()
        if answer.startswith("250"):
            self.taken.append((address, message_from_bytes(envelope.content, policy=default)))
        return answer

    def lets_in(self, _server, _session, _envelope, _mechanism, said) -> AuthResult:
        right = (said.login, said.password) == (USER.encode(), PASSWORD.encode())
        self.signed_in.append(right)
        return AuthResult(success=right, handled=False)

    def mailed_to(self, address: str) -> EmailMessage:
        (found,) = [message for to, message in self.taken if to == address]
        return found


def certificate(folder: Path, name: str) -> Path:
    """A certificate for `name` that nobody has signed but itself, with its key in the same file."""
    if shutil.which("openssl") is None:
        reason = "openssl is not installed: apt-get install openssl."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    file = folder / f"{name}.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
            ),
            *("-keyout", str(folder / "key"), "-out", str(folder / "certificate"), "-subj", "/CN=test"),
            *("-addext", f"subjectAltName={name}"),
        ],
        check=True,
        capture_output=True,
    )
    file.write_text((folder / "key").read_text("ascii") + (folder / "certificate").read_text("ascii"), "ascii")
    return file


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificate"), "IP:127.0.0.1")


@pytest.fixture(scope="module")
def of_another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("certificate"), "DNS:other.example")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def serve(ours: Path) -> Iterator[Callable[..., Server]]:
    """Starts a mail server on this computer that asks who signs in; it ends with the test."""
    running: list[Controller] = []

    def start(shown: Path | None = ours, *, implicit: bool = False) -> Server:
        server = Server(port=free_port())
        # It does not know that a connection was protected from its beginning, and would offer nobody to sign in.
        how: dict = {"authenticator": server.lets_in, "auth_required": not implicit, "auth_require_tls": not implicit}
        if shown is None:
            how = {}
        else:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(shown)
            how |= {"ssl_context": context} if implicit else {"tls_context": context, "require_starttls": True}
        controller = Controller(server, hostname="127.0.0.1", port=server.port, **how)
        controller.start()
        running.append(controller)
        return server

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def server(serve) -> Server:
    return serve()


# The installation ---------------------------------------------------------------------------------------------------


@dataclass
class Bank:
    """An installation: its folder, and a way to run the command."""

    folder: Path
    run: Callable[..., tuple[int, str, str]]

    def config(self, text: str) -> None:
        (self.folder / "config.toml").write_text(text, "utf-8")

    def mails_by(self, server: Server | int, tls: str = "starttls") -> None:
        port = server if isinstance(server, int) else server.port
        url = (self.folder / "url").read_text("utf-8")
        self.config(CONFIG.format(url=url) + MAIL.format(port=port, tls=tls))

    def people(self, **roles: tuple[str, str]) -> None:
        entries = [f'[[viewers]]\nperson = "{p}"\nrole = "{r}"\nbranch = "{b}"\n' for p, (r, b) in roles.items()]
        (self.folder / "access.toml").write_text("\n".join(entries), "utf-8")

    def recipients(self, *people: str, more: str = "") -> None:
        entries = [f'[[recipients]]\nperson = "{person}"\naddress = "{person}"\n{more}' for person in people]
        (self.folder / "recipients.toml").write_text("\n".join(entries), "utf-8")

    def entries(self):
        return journal_of(settings().access).entries()


@pytest.fixture
def here(
    tmp_path: Path, duckdb_url: str, ours: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Bank:
    for name in ("WAREHOUSE_URL", "JOURNAL_URL", "JOURNAL_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DASHBOARD_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("DASHBOARD_PROXY_SECRET", "s" * 32)
    monkeypatch.setenv("MAIL_USER", USER)
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    monkeypatch.setenv("SSL_CERT_FILE", str(ours))
    monkeypatch.setattr(mail, "WAITS", (0.01, 0.01))
    (tmp_path / "url").write_text(duckdb_url, "utf-8")

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = deliver.main(list(words))
        except SystemExit as end:  # argparse ends so
            code = end.code
        printed = capsys.readouterr()
        assert PASSWORD not in printed.out + printed.err
        return code, printed.out, printed.err

    found = Bank(tmp_path, run)
    found.people(**{person: ("branch manager", branch) for person, branch in SCOPES.items()})
    found.recipients(*SCOPES)
    found.config(CONFIG.format(url=duckdb_url))
    return found


def attached(message: EmailMessage) -> dict[str, bytes]:
    return {part.get_filename().rpartition(".")[2]: part.get_content() for part in message.iter_attachments()}


def texts_of_workbook(file: bytes) -> set[str]:
    book = openpyxl.load_workbook(io.BytesIO(file))
    return {
        str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None
    }


def texts_of_deck(file: bytes) -> set[str]:
    found: set[str] = set()
    for slide in Presentation(io.BytesIO(file)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                found.update(paragraph.text for paragraph in shape.text_frame.paragraphs)
            if getattr(shape, "has_table", False) and shape.has_table:
                found.update(cell.text for row in shape.table.rows for cell in row.cells)
            if getattr(shape, "has_chart", False) and shape.has_chart:
                found.update(map(str, shape.chart.plots[0].categories))
    return found


def texts_of_report(file: bytes) -> str:
    paper = Document(io.BytesIO(file))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in paper.paragraphs), *cells])


def below(branch: str) -> set[str]:
    return {row["name"] for row in ALL_PLACES.values() if row["parent_id"] == branch}


def elsewhere(branch: str) -> set[str]:
    """The names of branches that who stands at `branch` does not see; names that one of theirs has too say nothing."""
    own, all_names = ALL_PLACES[branch]["path"], {row["name"] for row in ALL_PLACES.values()}
    return all_names - {row["name"] for row in ALL_PLACES.values() if row["path"].startswith(own)}


def signed(branch: str) -> int:
    """The contracts signed at or below a branch in the twelve months up to the data's date, counted row by row."""
    days = preset_period(Preset.LAST_12_MONTHS, bank.DATA_UNTIL)
    return sum(
        ALL_PLACES[row["branch_id"]]["path"].startswith(ALL_PLACES[branch]["path"])
        and days.start <= row["signed_on"] <= days.end
        for row in bank.BANK["contracts"]
    )


# To each their own --------------------------------------------------------------------------------------------------


def test_each_recipient_gets_files_with_the_rows_of_their_own_branch_alone(here: Bank, server: Server) -> None:
    here.mails_by(server)
    code, printed, errors = here.run("mail", "--week", WEEK)
    assert (code, errors) == (0, "")
    assert printed.endswith("3 of 3 recipients have their files.\n")
    assert sorted(address for address, _message in server.taken) == sorted(SCOPES)
    assert all(server.protected) and all(server.signed_in)
    for person, branch in SCOPES.items():
        files = attached(server.mailed_to(person))
        assert files.keys() == {"pptx", "xlsx"}
        for found in (texts_of_workbook(files["xlsx"]), texts_of_deck(files["pptx"])):
            whole = "\n".join(found)
            assert [name for name in elsewhere(branch) if name in whole] == []
            assert [name for name in below(branch) if name not in whole] == []
        assert str(signed(branch)) in texts_of_workbook(files["xlsx"])
    assert len({signed(branch) for branch in SCOPES.values()}) == 3


def test_a_file_is_in_the_journal_under_the_recipients_name_with_its_hash_and_bears_its_number(
    here: Bank, server: Server
) -> None:
    here.mails_by(server)
    here.run("mail", "--week", WEEK)
    entries = here.entries()
    assert set(entries["action"]) == {"export"} and len(entries) == 6
    assert journal_of(settings().access).verify() == []
    for entry in entries.itertuples():
        files = attached(server.mailed_to(entry.person))
        content = files[entry.file_name.rpartition(".")[2]]
        assert entry.file_sha256 == hashlib.sha256(content).hexdigest()
        assert (entry.role, entry.branch_id) == ("branch manager", SCOPES[entry.person])
        assert entry.purpose == f"mailed to {entry.person}"
        assert entry.rows > 0 and entry.what and entry.scope
        assert (entry.expires_on - entry.at.date()).days == 30
        if entry.file_name.endswith("xlsx"):
            assert any(entry.id in text for text in texts_of_workbook(content))
        assert entry.id in server.mailed_to(entry.person).get_body().get_content()


def test_the_mail_speaks_the_recipients_language_and_says_whom_to_ask(here: Bank, server: Server) -> None:
    here.mails_by(server)
    here.recipients(MANAGER, more='language = "zh_CN"\n')
    assert here.run("mail", "--week", WEEK, "--lang", "en")[0] == 0
    message = server.mailed_to(MANAGER)
    assert "周例会" in message["Subject"] and "Riverside" in message["Subject"]
    assert "Zhou, 5501" in message.get_body().get_content()
    assert "营销" in str(message["From"])
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_branch_that_is_asked_for_is_narrowed_to_what_each_sees_of_it(here: Bank, server: Server) -> None:
    here.mails_by(server)
    harbour = "harbour@bank.example"
    here.people(**{p: ("branch manager", b) for p, b in (SCOPES | {harbour: "120"}).items()})
    here.recipients(HEAD, PARK, harbour)
    code, printed, _errors = here.run("mail", "--week", WEEK, "--branch", "12")
    assert code == 3
    assert f"{harbour}: not delivered. {harbour} sees nothing of branch 12, only branch 120." in printed
    for person, branch in ((HEAD, "12"), (PARK, "121")):
        found = "\n".join(texts_of_workbook(attached(server.mailed_to(person))["xlsx"]))
        assert [name for name in elsewhere(branch) if name in found] == []
        assert all(name in found for name in below(branch))
    assert [address for address, _message in server.taken] == [HEAD, PARK]


def test_whoever_no_rule_names_by_themselves_or_may_not_take_numbers_gets_nothing(here: Bank, server: Server) -> None:
    here.mails_by(server)
    auditor, stranger = "auditor@bank.example", "stranger@bank.example"
    here.people(**{MANAGER: ("branch manager", "12"), auditor: ("auditor", "1")})
    here.recipients(stranger, auditor, MANAGER)
    code, printed, _errors = here.run("mail", "--week", WEEK)
    assert code == 3
    assert f"{stranger}: not delivered. No entry names {stranger} by themselves" in printed
    assert f"{auditor}: not delivered. The role auditor does not permit" in printed
    assert server.asked == [MANAGER]
    assert set(here.entries()["person"]) == {MANAGER}


# What goes wrong ----------------------------------------------------------------------------------------------------


def test_one_recipient_who_is_refused_costs_the_others_nothing_and_the_journal_says_so(
    here: Bank, server: Server
) -> None:
    here.mails_by(server)
    server.answers[MANAGER] = ["550 no such mailbox"] * 9
    code, printed, _errors = here.run("mail", "--week", WEEK)
    assert code == 3
    assert f"{MANAGER}: not delivered. 127.0.0.1 refuses the recipient: 550 no such mailbox." in printed
    assert "2 of 3 recipients have their files." in printed
    assert server.asked.count(MANAGER) == 1  # what is refused for good is not tried again
    assert [address for address, _message in server.taken] == [HEAD, PARK]
    entries = here.entries()
    taken, undelivered = (entries[entries["action"] == action] for action in ("export", "not delivered"))
    assert sorted(set(taken["person"])) == sorted(SCOPES)
    assert set(undelivered["person"]) == {MANAGER}
    assert set(undelivered["file_sha256"]) == set(taken.loc[taken["person"] == MANAGER, "file_sha256"])
    assert all("550 no such mailbox" in why for why in undelivered["purpose"])
    assert journal_of(settings().access).verify() == []


def test_what_was_not_delivered_does_not_count_towards_the_days_quota(here: Bank, server: Server) -> None:
    here.mails_by(server)
    server.answers[MANAGER] = ["550 no such mailbox"]
    here.run("mail", "--week", WEEK, "--viewer", MANAGER)
    journal = journal_of(settings().access)
    assert journal.taken_today(MANAGER, Action.EXPORT) == (0, 0, 0)
    assert here.run("mail", "--week", WEEK, "--viewer", MANAGER)[0] == 0
    assert journal.taken_today(MANAGER, Action.EXPORT).times == 2


def test_run_again_it_sends_to_those_alone_who_have_not_got_theirs(here: Bank, server: Server) -> None:
    here.mails_by(server)
    server.answers[MANAGER] = ["550 no such mailbox"]
    assert here.run("mail", "--week", WEEK)[0] == 3
    code, printed, _errors = here.run("mail", "--week", WEEK)
    assert code == 0
    assert printed.count("is not sent them again") == 2
    assert sorted(address for address, _message in server.taken) == sorted(SCOPES)
    here.run("mail", "--week", WEEK)
    assert len(server.taken) == 3
    assert len(here.entries()) == 3 * 2 + 2 + 2
    here.run("mail", "--week", "2026-05-11")  # another week is another meeting
    assert len(server.taken) == 6


def test_what_will_pass_is_tried_again_under_the_same_number(here: Bank, server: Server) -> None:
    here.mails_by(server)
    server.answers |= {MANAGER: ["451 come back later"], f"data {MANAGER}": ["452 no room now"]}
    code, _printed, errors = here.run("mail", "--week", WEEK, "--viewer", MANAGER)
    assert code == 0
    assert errors.count("another try in") == 2
    assert "451 come back later" in errors and "452 no room now" in errors
    assert server.asked == [MANAGER] * 3
    assert len(server.taken) == 1
    assert set(here.entries()["action"]) == {"export"}


def test_what_does_not_pass_is_given_up_and_not_taken_for_sent(here: Bank, server: Server) -> None:
    here.mails_by(server)
    server.answers[MANAGER] = ["451 come back later"] * 3
    code, printed, _errors = here.run("mail", "--week", WEEK, "--viewer", MANAGER)
    assert code == 3
    assert "451 come back later, after 3 tries." in printed
    assert here.run("mail", "--week", WEEK, "--viewer", MANAGER)[0] == 0
    assert len(server.taken) == 1


def test_where_the_connection_is_lost_after_the_message_nobody_says_that_it_did_not_arrive(
    here: Bank, server: Server
) -> None:
    here.mails_by(server)
    server.answers[f"data {MANAGER}"] = ["lost"] * 3
    code, printed, errors = here.run("mail", "--week", WEEK, "--viewer", MANAGER)
    assert code == 3
    assert errors.count("was lost (it ended the connection); another try") == 2
    assert "Whether the message arrived all the same is not known." in printed
    undelivered = here.entries().query("action == 'not delivered'")
    assert all("is not known" in why for why in undelivered["purpose"]) and len(undelivered) == 2


def test_a_server_that_is_away_is_said_in_a_sentence_and_waited_for_once(here: Bank) -> None:
    here.mails_by(free_port())
    code, printed, errors = here.run("mail", "--week", WEEK)
    assert code == 3
    assert printed.count("cannot be reached (Connection refused)") == 3
    assert errors.count("another try") == 2  # for the first recipient, and for no other
    assert "Traceback" not in printed + errors
    assert "0 of 3 recipients have their files." in printed


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_server_with_a_certificate_of_another_name_is_sent_nothing(
    here: Bank, serve, of_another: Path, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    server = serve(of_another, implicit=tls == "implicit")
    here.mails_by(server, tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(of_another))  # it is trusted, but not for this name
    code, printed, errors = here.run("mail", "--week", WEEK)
    assert code == 3
    assert printed.count("is not one that this computer trusts") == 3
    assert (server.asked, server.signed_in, errors) == ([], [], "")


def test_a_server_whose_certificate_nobody_vouches_for_is_sent_nothing(
    here: Bank, server: Server, of_another: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.mails_by(server)
    monkeypatch.setenv("SSL_CERT_FILE", str(of_another))
    code, printed, _errors = here.run("mail", "--week", WEEK)
    assert code == 3
    assert "SSL_CERT_FILE names the file" in printed
    assert (server.asked, server.signed_in) == ([], [])


def test_a_server_that_offers_no_protection_is_sent_nothing(here: Bank, serve) -> None:
    server = serve(None)
    here.mails_by(server)
    code, printed, _errors = here.run("mail", "--week", WEEK)
    assert code == 3
    assert "offers no protected connection" in printed
    assert server.asked == []


def test_without_protection_it_is_sent_to_this_computer_where_the_settings_say_so(
    here: Bank, serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(None)
    here.mails_by(server, "none")
    for name in ("MAIL_USER", "MAIL_PASSWORD"):
        monkeypatch.delenv(name)
    assert here.run("mail", "--week", WEEK, "--viewer", MANAGER)[0] == 0
    assert server.protected == [False] and len(server.taken) == 1


def test_a_connection_that_is_protected_from_its_beginning_is_used(here: Bank, serve) -> None:
    server = serve(implicit=True)
    here.mails_by(server, "implicit")
    assert here.run("mail", "--week", WEEK, "--viewer", MANAGER)[0] == 0
    assert len(server.taken) == 1 and server.signed_in == [True]


def test_who_is_not_let_in_by_the_server_is_told_without_the_password_and_tries_once(
    here: Bank, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.mails_by(server)
    monkeypatch.setenv("MAIL_PASSWORD", f"{PASSWORD}-")
    code, printed, errors = here.run("mail", "--week", WEEK)
    assert code == 3
    assert printed.count("does not let in who signs in by MAIL_USER") == 3
    said = base64.b64encode(f"\0{USER}\0{PASSWORD}-".encode()).decode()
    assert said not in printed + errors
    assert server.asked == []
    # A wrong password for each of a hundred recipients would lock the account.
    assert len(server.signed_in) <= 2 and not any(server.signed_in)


def test_a_dry_run_makes_everything_and_sends_and_records_nothing(here: Bank, server: Server) -> None:
    here.mails_by(server)
    here.recipients(*SCOPES, "stranger@bank.example")
    code, printed, _errors = here.run("mail", "--week", WEEK, "--dry-run")
    assert code == 3
    for person, branch in SCOPES.items():
        assert f"{person}: would be sent to {person}, as branch manager of branch {branch}, in English" in printed
    assert "weekly_meeting_12_2026-05-18.pptx" in printed
    assert "3 of 4 recipients would have their files; nothing was sent or recorded." in printed
    assert (server.asked, len(here.entries())) == ([], 0)
    assert here.run("mail", "--week", WEEK)[0] == 3
    assert len(server.taken) == 3
    assert here.run("mail", "--week", WEEK, "--dry-run")[1].count("is not sent them again") == 3


def test_without_a_journal_nothing_is_sent(here: Bank, server: Server) -> None:
    here.mails_by(server)
    (here.folder / "journal.db").mkdir()
    code, printed, _errors = here.run("mail", "--week", WEEK)
    assert code == 3
    assert server.asked == []
    assert printed.count("not delivered") == 3


# One file -----------------------------------------------------------------------------------------------------------


def test_a_file_for_one_person_holds_what_they_see_and_is_in_the_journal(here: Bank) -> None:
    out = here.folder / "meeting.xlsx"
    code, printed, errors = here.run("workbook", "--viewer", "Manager@bank.example", "--week", WEEK, "--out", str(out))
    assert (code, printed) == (0, "")
    (entry,) = here.entries().itertuples()
    assert (entry.person, entry.branch_id, entry.file_name) == (MANAGER, "12", "meeting.xlsx")
    assert entry.purpose.startswith("on the command line, by ")
    assert entry.file_sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert entry.id in errors
    found = "\n".join(texts_of_workbook(out.read_bytes()))
    assert [name for name in elsewhere("12") if name in found] == []


def test_the_complaint_analysis_is_one_of_the_files_for_whom_it_is_listed(here: Bank, server: Server) -> None:
    here.mails_by(server)
    here.recipients(MANAGER, more='files = ["report", "deck"]\n')
    assert here.run("mail", "--week", WEEK)[0] == 0
    files = attached(server.mailed_to(MANAGER))
    assert files.keys() == {"docx", "pptx"}
    found = texts_of_report(files["docx"])
    assert [name for name in elsewhere("12") if name in found] == []
    assert MANAGER in found
    out = here.folder / "complaints.docx"
    words = ("--viewer", MANAGER, "--length", "quarter", "--lang", "zh_CN", "--out", str(out))
    assert here.run("report", *words)[0] == 0
    assert "投诉" in texts_of_report(out.read_bytes())
    assert here.entries()["rows"].min() > 0


def test_where_nobody_signs_in_a_file_is_a_visitors(here: Bank, duckdb_url: str) -> None:
    out = here.folder / "meeting.pptx"
    here.config(f'[warehouse]\nurl = "{duckdb_url}"\n[access]\nmode = "public"\njournal = "sqlite:///journal.db"')
    assert here.run("deck", "--branch", "12", "--week", WEEK, "--lang", "zh_CN", "--out", str(out))[0] == 0
    found = "\n".join(texts_of_deck(out.read_bytes()))
    assert [name for name in elsewhere("12") if name in found] == []
    assert all(name in found for name in below("12"))
    assert here.entries()["role"].tolist() == ["visitor"]


def test_a_file_that_cannot_be_written_is_not_taken_for_delivered(here: Bank) -> None:
    out = here.folder / "nowhere" / "meeting.xlsx"
    code, _printed, errors = here.run("workbook", "--viewer", MANAGER, "--week", WEEK, "--out", str(out))
    assert code == 3
    assert "cannot be written: No such file or directory" in errors
    assert here.entries()["action"].tolist() == ["not delivered", "export"]


def test_a_viewer_is_given_nothing_of_another_branch(here: Bank) -> None:
    out = here.folder / "meeting.xlsx"
    code, _printed, errors = here.run("workbook", "--viewer", MANAGER, "--branch", "120", "--out", str(out))
    assert code == 3
    assert "your own branch or one below it" in errors
    assert not out.exists() and here.entries().empty


# What is wrongly asked for, or set up -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["deck", "--viewer", MANAGER, "--out", "meeting.xlsx"], "let it end in .pptx"),
        (["deck", "--viewer", MANAGER], "--out"),
        (["deck", "--out", "meeting.pptx"], "--viewer PERSON"),
        (["mail", "--branch", "99"], "no branch with the id “99”"),
        (["mail", "--week", "tomorrow"], "2026-W47"),
        (["mail", "--lang", "de"], "zh_CN"),
        (["mail", "--viewer", "nobody@bank.example"], "recipients.toml does not name nobody@bank.example"),
        ([], "COMMAND"),
    ],
)
def test_what_is_wrongly_asked_for_is_said_in_a_sentence(here: Bank, words: list[str], named: str) -> None:
    here.mails_by(free_port())
    code, _printed, errors = here.run(*words)
    assert code == 2
    assert named in errors and errors.startswith("deliver.py")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "one or more"),
        ("recipients = 3", "[[recipients]]"),
        ('[[recipients]]\nperson = "a@b"', "address"),
        ('[[recipients]]\nperson = "a"\naddress = "a@b.example\\nBcc: c@d.example"', "one e-mail address"),
        ('[[recipients]]\nperson = "a"\naddress = "a@b.example, c@d.example"', "one e-mail address"),
        ('[[recipients]]\nperson = " a"\naddress = "a@b.example"', "person"),
        ('[[recipients]]\nperson = "a"\naddress = "a@b.example"\nlanguage = "de"', "zh_CN"),
        ('[[recipients]]\nperson = "a"\naddress = "a@b.example"\nfiles = ["slides"]', "deck"),
        ('[[recipients]]\nperson = "a"\naddress = "a@b.example"\nfiles = []', "deck"),
        ('[[recipients]]\nperson = "a"\naddress = "a@b.example"\nrole = "branch manager"', "role, which nothing reads"),
        ('[[recipients]]\nperson = "A@b.c"\naddress = "a@b.example"\n' * 2, "twice"),
        ("[[recipients", "cannot be read"),
    ],
)
def test_recipients_that_cannot_be_followed_are_said_and_nobody_is_sent_anything(
    here: Bank, server: Server, text: str, named: str
) -> None:
    here.mails_by(server)
    (here.folder / "recipients.toml").write_text(text, "utf-8")
    code, _printed, errors = here.run("mail")
    assert code == 2
    assert named in errors and "recipients.toml" in errors
    assert server.asked == []


def test_without_a_mail_server_or_rules_nothing_is_sent(here: Bank, server: Server, duckdb_url: str) -> None:
    code, _printed, errors = here.run("mail")
    assert code == 2 and "[mail]" in errors
    here.mails_by(server)
    (here.folder / "access.toml").unlink()
    code, _printed, errors = here.run("mail")
    assert code == 2 and "access.toml cannot be read" in errors
    here.config(f'[warehouse]\nurl = "{duckdb_url}"\n' + MAIL.format(port=server.port, tls="starttls"))
    code, _printed, errors = here.run("mail")
    assert code == 2 and "is not a demo bank" in errors
    assert server.asked == []


def test_the_week_is_named_by_any_of_its_days() -> None:
    for text in ("2026-05-18", "2026-05-24", "2026-W21"):
        assert deliver._week(text) == date(2026, 5, 18)
