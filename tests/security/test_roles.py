"""What each role sees, takes away and is refused, in Chromium; and what the journal says of it to an auditor."""

from __future__ import annotations

import csv
import io
import re
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import openpyxl
import pytest
from playwright.sync_api import Locator, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.security.bank_server import Bank, bank
from tests.security.tab import Reader, Tab

pytestmark = pytest.mark.browser

ACCESS = """
mode = "oidc"
https = false
[access.quotas]
"branch manager" = { files = 2, rows = 100000 }
"team leader" = { files = 2, rows = 100000 }
"""
BRANCH, OUTLET, BELOW, AGENT = "18", "18001", "1801", "A18001-2"
ROLES = {
    "analysts": ("head office analyst", "1"),
    "managers": ("branch manager", BRANCH),
    "leaders": ("team leader", OUTLET),
    "agents": ("agent", OUTLET),
    "stewards": ("data steward", BRANCH),
    "auditors": ("auditor", "1"),
    "branch auditors": ("auditor", BRANCH),
}
PEOPLE = "".join(
    f'[[viewers]]\ngroup = "{group}"\nrole = "{role}"\nbranch = "{branch}"\n'
    + (f'agent = "{AGENT}"\n' if role == "agent" else "")
    for group, (role, branch) in ROLES.items()
)
HOLD_MEETINGS = ("manager", "leader", "steward")
PAGES = ["Overview", "Activation", "Follow-up", "Targets", "Complaints", "Explorer", "Glossary"]
LINK = "follow_up?period=12_months&lang=en"
LISTING, NUMBERS = "overdue_listing", "follow_up_lists"
TAKE, NOT_TAKE = "Excel", "Your role does not permit to take this away."
NO_LISTINGS = "Your role does not permit you to see listings."


@pytest.fixture(scope="module")
def roles(warehouse_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """The dashboard with people of every role."""
    with bank(tmp_path_factory.mktemp("roles"), f"duckdb:///{warehouse_file}", ACCESS, PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def ask(warehouse_file: Path):
    """What the warehouse itself holds."""
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        yield lambda sql: connection.sql(sql).fetchall()


def sign_in(page: Page, at: Bank, person: str, link: str = LINK) -> None:
    at.next_sign_in(person=person, seconds=3600, down=False)
    page.goto(at.address + link)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def offers(page: Page, table: str, text: str) -> None:
    """Holds that the export corner of a table says `text`."""
    page.locator(f".st-key-{table}_export").get_by_role("button").click()
    expect(page.get_by_test_id("stPopoverBody")).to_contain_text(text)
    page.keyboard.press("Escape")


def open_listing(page: Page) -> Locator:
    page.get_by_role("radio", name="Overdue customers").or_(
        page.get_by_role("button", name="Overdue customers")
    ).click()
    found = page.locator(f".st-key-{LISTING} table")
    expect(found).to_be_visible()
    return found


def taken(page: Page, table: str, ending: str = "xlsx") -> bytes:
    with page.expect_download() as download:
        page.locator(f".st-key-{table}_{ending} button").click()
    return Path(download.value.path()).read_bytes()


def workbook(file: bytes) -> tuple[list[tuple], dict[str, str]]:
    """The rows with their heading, and what the file says of itself."""
    book = openpyxl.load_workbook(io.BytesIO(file))
    return list(book.worksheets[0].iter_rows(values_only=True)), dict(
        book["About"].iter_rows(values_only=True, max_col=2)
    )


def written(at: Bank, person: str, action: str) -> list[dict[str, str]]:
    """What the journal says that a person did, by the command of an administrator."""
    file = at.folder / f"journal-{secrets.token_hex(4)}.csv"
    at.command("journal", "export", "--out", str(file))
    with file.open(encoding="utf-8-sig", newline="") as entries:
        return [e for e in csv.DictReader(entries) if (e["person"], e["action"]) == (f"{person}@bank.example", action)]


# What each role sees ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "sees", "numbers", "listings"),
    [
        ("head", "{1} and 84 branches below it", TAKE, None),
        ("manager", "{18} and 3 branches below it", TAKE, TAKE),
        ("leader", "{18001} alone", TAKE, NOT_TAKE),
        ("agent", "{18001} alone, your own customers only", NOT_TAKE, NOT_TAKE),
        ("steward", "{18} and 3 branches below it", TAKE, TAKE),
        ("auditor", "{1} and 84 branches below it", NOT_TAKE, None),
    ],
)
def test_a_group_gives_a_role_its_pages_its_rows_and_what_it_may_take_away(
    page: Page, roles: Bank, ask, person: str, sees: str, numbers: str, listings: str | None
) -> None:
    names = dict(ask("SELECT branch_id, name FROM branches"))
    branch, rest = re.fullmatch(r"{(\d+)}(.*)", sees).groups()
    sign_in(page, roles, person)
    expect(page.locator(".strip")).to_have_text(re.compile(re.escape(f"You see: {names[branch]}{rest}") + "$"))
    pages = page.get_by_test_id("stSidebar").get_by_test_id("stPageLink")
    own = [*PAGES, *["Journal"] * (person == "auditor")]
    if person in HOLD_MEETINGS:
        own.insert(PAGES.index("Explorer"), "Meeting")
    expect(pages).to_have_text([re.compile(f"{name}$") for name in own])
    offers(page, NUMBERS, numbers)
    if listings is None:
        page.get_by_role("radio", name="Overdue customers").or_(
            page.get_by_role("button", name="Overdue customers")
        ).click()
        expect(page.get_by_text(NO_LISTINGS)).to_be_visible()
        expect(page.locator(f".st-key-{LISTING}_export")).to_have_count(0)
    else:
        open_listing(page)
        offers(page, LISTING, listings)
    page.goto(f"{roles.address}journal?lang=en")
    if person == "auditor":
        expect(page.locator(".st-key-journal_entries table")).to_be_visible()
    else:
        expect(page.get_by_text("Your role does not permit you to read the journal.")).to_be_visible()
        expect(page.locator("table")).to_have_count(0)


def test_an_agent_sees_the_own_customers_and_none_of_a_colleagues(roles: Bank, ask) -> None:
    complaints = ask(
        "SELECT complaint_id, customers.agent_id FROM complaints JOIN customers USING (customer_id) "
        f"WHERE complaints.branch_id = '{OUTLET}' AND received_at >= '2025-12-01'"
    )
    own = {id_ for id_, agent in complaints if agent == AGENT}
    reader = Reader(roles)
    reader.sign_in("agent")
    with reader.tab("complaints?period=12_months&lang=en") as tab:
        rerun(tab, {id_of(tab, "complaints_tables"): ["Complaints"]})
        shown = {id_ for id_, _agent in complaints if f'"{id_}"' in tab.said}
    assert own and shown == own != {id_ for id_, _agent in complaints}


# Personal data ------------------------------------------------------------------------------------------------------


def test_a_manager_sees_names_for_a_purpose_that_is_written_down_and_takes_them_masked(
    page: Page, roles: Bank, ask
) -> None:
    names = {name for (name,) in ask("SELECT name FROM customers")}
    sign_in(page, roles, "manager")
    table = open_listing(page)
    assert set(table.locator("tbody td:nth-child(2)").all_inner_texts()).isdisjoint(names)
    page.get_by_role("button", name="Show personal data").click()
    show = page.get_by_role("button", name="Show", exact=True)
    expect(show).to_be_disabled()
    page.get_by_role("textbox", name="What you look at them for").fill("<b>call</b> *them* http://evil.example")
    page.keyboard.press("Enter")
    show.click()
    expect(page.get_by_text("shown for: <b>call</b> *them* http://evil.example. Each look")).to_be_visible()
    expect(page.locator("a[href*=evil]")).to_have_count(0)
    name = table.locator("tbody td:nth-child(2)").first
    expect(name).not_to_have_text("")  # a row that is drawn anew is empty for a moment
    expect(name).not_to_contain_text("**")
    expect(table).not_to_contain_text("**")
    seen = set(table.locator("tbody td:nth-child(2)").all_inner_texts())
    assert seen and seen <= names
    (look,) = written(roles, "manager", "unmask")
    assert look["purpose"] == "<b>call</b> *them* http://evil.example"
    assert (look["personal"], int(look["rows"])) == ("Customer; Phone", len(seen))

    expect(page.get_by_text("In the file personal data stay masked")).to_be_visible()
    page.locator(f".st-key-{LISTING}_export button").first.click()
    expect(page.locator(f".st-key-{LISTING}_xlsx button")).to_be_disabled()
    page.get_by_role("textbox", name="What the file is for").fill("calls on Monday")
    page.keyboard.press("Enter")
    expect(page.locator(f".st-key-{LISTING}_xlsx button")).to_be_enabled()
    rows, about = workbook(taken(page, LISTING))
    at = [column.split("\n")[0] for column in rows[0]].index("Customer")
    assert len(rows) > 1 and all("*" in row[at] for row in rows[1:])
    (file,) = written(roles, "manager", "export")
    assert (file["id"], file["purpose"], file["personal"]) == (about["File"], "calls on Monday", "")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Mask again").click()
    expect(table.locator("tbody tr").first).to_contain_text("**")


def test_a_stewards_file_holds_names_and_the_journal_says_so(page: Page, roles: Bank, ask) -> None:
    names = {name for (name,) in ask("SELECT name FROM customers")}
    sign_in(page, roles, "steward")
    table = open_listing(page)
    page.get_by_role("button", name="Show personal data").click()
    page.get_by_role("textbox", name="What you look at them for").fill("a complaint")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(table.locator("tbody tr").first).not_to_contain_text("**")
    expect(page.get_by_text("In the file personal data stay masked")).to_have_count(0)
    page.locator(f".st-key-{LISTING}_export button").first.click()
    page.get_by_role("textbox", name="What the file is for").fill("to the regulator")
    page.keyboard.press("Enter")
    expect(page.locator(f".st-key-{LISTING}_xlsx button")).to_be_enabled()
    rows, about = workbook(taken(page, LISTING))
    at = [column.split("\n")[0] for column in rows[0]].index("Customer")
    assert len(rows) > 1 and {row[at] for row in rows[1:]} <= names
    (file,) = written(roles, "steward", "export")
    assert (file["id"], file["purpose"], file["personal"]) == (about["File"], "to the regulator", "Customer; Phone")


# Quotas -------------------------------------------------------------------------------------------------------------


def test_the_third_file_of_a_day_is_refused_on_the_click_and_on_screen_before_it(page: Page, roles: Bank) -> None:
    sign_in(page, roles, "deputy")
    page.locator(f".st-key-{NUMBERS}_export button").first.click()
    assert taken(page, NUMBERS) and taken(page, NUMBERS, "csv")
    page.locator(f".st-key-{NUMBERS}_xlsx button").click()
    expect(page.get_by_test_id("stDownloadButtonError")).to_be_visible()
    assert "There is no file." in page.get_by_test_id("stDownloadButtonError").evaluate(
        "e => getComputedStyle(e, '::after').content"
    )
    page.reload()
    offers(page, NUMBERS, "You have taken 2 files today, as many as a day allows.")
    expect(page.locator(f".st-key-{NUMBERS}_xlsx")).to_have_count(0)
    assert len(written(roles, "deputy", "export")) == 2


def test_clicks_at_once_do_not_get_around_the_quota(roles: Bank) -> None:
    reader = Reader(roles)
    reader.sign_in("leader")
    with reader.tab(LINK) as tab, reader.tab(LINK) as second:
        for one in (tab, second):
            for number in range(4):
                asked = BackMsg()
                asked.backend_operation_request.request_id = str(number)
                asked.backend_operation_request.session_id = one.session_id
                asked.backend_operation_request.deferred_file.file_id = deferred(one, f"{NUMBERS}_xlsx")
                one.put(asked)
        answers = []
        for one in (tab, second):
            while sum(1 for m in one.messages if m.HasField("backend_operation_response")) < 4:
                one.receive()
            answers += [m.backend_operation_response for m in one.messages if m.HasField("backend_operation_response")]
    assert sorted(bool(answer.error_msg) for answer in answers) == [False] * 2 + [True] * 6
    assert len(written(roles, "leader", "export")) == 2


def test_a_file_of_a_listing_without_a_purpose_is_not_made_whoever_asks(roles: Bank) -> None:
    reader = Reader(roles)
    reader.sign_in("steward")
    with reader.tab(LINK) as tab:
        rerun(tab, {id_of(tab, "follow_up_tables"): ["Overdue customers"]})
        asked = BackMsg()
        asked.backend_operation_request.request_id = "1"
        asked.backend_operation_request.session_id = tab.session_id
        asked.backend_operation_request.deferred_file.file_id = deferred(tab, f"{LISTING}_csv")
        answer = tab.send(asked, until="backend_operation_response")[-1].backend_operation_response
    assert answer.error_msg and not answer.deferred_file.url


# Looking as from below ----------------------------------------------------------------------------------------------


def test_looking_as_from_below_is_written_down_and_never_widens(roles: Bank, ask) -> None:
    names = dict(ask("SELECT branch_id, name FROM branches"))
    inside = {id_ for (id_,) in ask(f"SELECT branch_id FROM branches WHERE path LIKE '1.{BRANCH}.%'")}
    agents = {name for (name,) in ask(f"SELECT name FROM agents WHERE branch_id NOT IN {tuple(inside)}")} - {
        name for (name,) in ask(f"SELECT name FROM agents WHERE branch_id IN {tuple(inside)}")
    }
    outside = {name for id_, name in names.items() if id_ not in inside} - {names[id_] for id_ in inside}
    below = next(id_ for id_ in sorted(inside) if id_ != BRANCH)
    reader = Reader(roles)
    reader.sign_in("manager")
    with reader.tab(LINK) as tab:
        view_as = id_of(tab, "view_as")
        (label,) = [o for o in options(tab, "view_as") if o.startswith(f"{names[below]} · ")]
        tab.run(states={view_as: label})
        assert f"You see: {names[below]}" in tab.said
        forged = [f"{names['1']} · Head office", "1", "10", f"{names['10']} · First-level branch", "", "0", "../1"]
        for value in forged:
            tab.run(states={view_as: value})
        assert [name for name in outside | agents if name in tab.said] == []
        assert {seen.split(" and ")[0] for seen in re.findall("You see: ([^<]*?)(?: alone)?<", tab.said)} == {
            names[BRANCH], names[below],
        }  # fmt: skip
    assert {entry["branch_id"] for entry in written(roles, "manager", "view as")} == {below}


# The journal --------------------------------------------------------------------------------------------------------


def entries(page: Page) -> list[str]:
    """The rows of the journal that is on screen."""
    table = page.locator(".st-key-journal_entries table")
    expect(table).to_be_visible()
    return table.locator("tbody tr").all_inner_texts()


def test_an_auditor_reads_of_the_own_branches_alone_and_finds_by_list_and_person(page: Page, roles: Bank) -> None:
    for person in ("head", "deputy", "stranger"):
        Reader(roles).sign_in(person)
        reader = Reader(roles)
        reader.sign_in(person)
        with reader.tab(LINK):
            pass
    sign_in(page, roles, "auditor", "journal?lang=en")
    everything = "\n".join(entries(page))
    assert all(f"{who}@bank.example" in everything for who in ("head", "deputy", "stranger"))
    page.get_by_role("textbox", name="Person, branch, list or file").fill("DEPUTY@")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-journal_entries tbody tr").filter(has_text="head@")).to_have_count(0)
    assert all("deputy@bank.example" in row for row in entries(page))
    page.get_by_role("textbox", name="Person, branch, list or file").fill("none")  # is no word for what is not there
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing was written down that is like this.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the way out leads by the provider
    sign_in(page, roles, "branch auditor", "journal?lang=en")
    own = "\n".join(entries(page))
    assert "deputy@bank.example" in own and "branch.auditor@bank.example" in own
    assert not any(f"{who}@bank.example" in own for who in ("head", "stranger")) and "\nauditor@" not in own


def test_what_people_write_is_text_on_the_journals_page(page: Page, roles: Bank) -> None:
    purpose = "<img src=x onerror=alert(1)> **bold** [x](http://evil.example) =1+1"
    reader = Reader(roles)
    reader.sign_in("agent")
    with reader.tab(LINK) as tab:
        chosen = {id_of(tab, "follow_up_tables"): ["Overdue customers"]}
        rerun(tab, chosen)
        said = chosen | {id_of(tab, f"{LISTING}_reason"): purpose}
        rerun(tab, said)
        rerun(tab, said, pressed=id_of(tab, f"{LISTING}_show"))
    sign_in(page, roles, "auditor", "journal?lang=en")
    row = page.locator(".st-key-journal_entries tbody tr").filter(has_text="agent@bank.example").filter(
        has_text="saw personal data"
    )  # fmt: skip
    expect(row).to_contain_text(purpose)
    expect(row.locator("img, strong, a")).to_have_count(0)
    expect(page.locator("a[href*=evil]")).to_have_count(0)


def test_a_change_in_the_database_is_found_on_the_page(page: Page, roles: Bank) -> None:
    sign_in(page, roles, "auditor", "journal?lang=en")
    entries(page)
    check = page.get_by_role("button", name="Check that nothing was changed")
    check.click()
    expect(page.get_by_text("Every entry is as it was written.")).to_be_visible()
    file = roles.folder / "var" / "journal.db"
    with sqlite3.connect(file) as database:
        with pytest.raises(sqlite3.DatabaseError):
            database.execute("UPDATE journal SET person = 'nobody' WHERE number = 1")
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _sql in triggers:
            database.execute(f"DROP TRIGGER {name}")
        (was,) = database.execute("SELECT person FROM journal WHERE number = 1").fetchone()
        database.execute("UPDATE journal SET person = 'nobody@bank.example' WHERE number = 1")
    try:
        check.click()
        expect(page.get_by_role("alert").filter(has_text="Entry 1 ")).to_be_visible()
        expect(page.get_by_text("Every entry is as it was written.")).to_have_count(0)
    finally:
        with sqlite3.connect(file) as database:
            database.execute("UPDATE journal SET person = ? WHERE number = 1", (was,))
            for _name, sql in triggers:
                database.execute(sql)


# On a raw websocket -------------------------------------------------------------------------------------------------


def rerun(tab: Tab, states: dict[str, object], pressed: str = "") -> None:
    """Runs the tab's page again; without the page's hash its name counts, and not the page that a hash of the frame means."""
    tab.run(pressed, states, page_script_hash="")


def element(tab: Tab, key: str):
    """The newest widget whose key is `key`."""
    for message in reversed(tab.messages):
        new = message.delta.new_element
        if kind := new.WhichOneof("type"):
            found = getattr(new, kind)
            if getattr(found, "id", "").endswith(f"-{key}"):
                return found
    raise AssertionError(f"no {key}")


def id_of(tab: Tab, key: str) -> str:
    return element(tab, key).id


def options(tab: Tab, key: str) -> list[str]:
    return list(element(tab, key).options)


def deferred(tab: Tab, key: str) -> str:
    return element(tab, key).deferred_file_id
