"""Files and branches of somebody else, asked for over a raw websocket: what was not offered is neither made nor handed over."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

import duckdb
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from server.presence import Presence
from tests.processes import came
from tests.security.bank_server import Bank
from tests.security.tab import Reader, Tab

OUTSIDE = ("1", "20", "10' OR '1'='1")
"""What the manager of branch 10 may name and not see, beside what these branches are called."""


def order(tab: Tab, file: str, session: str = "") -> BackMsg:
    """The message that a browser sends when a reader clicks on a file."""
    asked = BackMsg()
    asked.backend_operation_request.request_id = "1"
    asked.backend_operation_request.session_id = session or tab.session_id
    asked.backend_operation_request.deferred_file.file_id = file
    return asked


def offered(tab: Tab) -> str:
    """The number under which the page has offered its newest workbook."""
    buttons = (m.delta.new_element.download_button for m in reversed(tab.messages))
    return next(b.deferred_file_id for b in buttons if b.id.endswith("_xlsx"))


def made(tab: Tab, file: str) -> str:
    """Has the file made, and returns the address under which it is."""
    answer = tab.send(order(tab, file), until="backend_operation_response")[-1].backend_operation_response
    return answer.deferred_file.url


def answered(tab: Tab, *asked: BackMsg) -> int:
    """How many of the orders are heard: a run that is asked for after them ends with or without their answers."""
    seen = len(tab.messages)
    for order_ in asked:
        tab.put(order_)
    time.sleep(1)
    tab.run()
    return sum(m.HasField("backend_operation_response") for m in tab.messages[seen:])


def signed_in(served: Bank, person: str) -> Reader:
    reader = Reader(served)
    reader.sign_in(person)
    return reader


def test_a_file_that_is_offered_to_another_cannot_be_ordered_by_its_number(served: Bank) -> None:
    owner, other = signed_in(served, "head"), signed_in(served, "manager")
    with owner.tab("complaints") as tab, other.tab("glossary") as others, Reader(served).tab() as nobodys:
        file = offered(tab)
        tampered = [file[:-1] + "0g", file.upper() + "-", "../" + file, "*", file + "\n"]
        for thief in (others, nobodys):
            orders = [order(thief, f, session) for f in (file, *tampered) for session in ("", tab.session_id)]
            assert answered(thief, *orders) == 0
        # Whoever clicked would have been written down as somebody else.
        assert "took" not in (told := served.command("journal", "list")) and " export " not in told
        assert owner.get(made(tab, file))[0] == 200


def test_a_file_is_gone_with_the_tab_that_it_was_made_in(served: Bank) -> None:
    reader = signed_in(served, "head")
    with reader.tab("complaints") as tab:
        file = offered(tab)
        address = made(tab, file)
        assert reader.get(address)[0] == 200
        other = Reader(served)
        for path in (address, address + "?x=1", address.replace("/media/", "/media//"), "/complaints" + address):
            status, headers, _url = other.get(path)
            assert status == 404 or headers["Content-Type"].startswith("text/html"), path
    assert came(lambda: reader.get(address)[0] == 404, 10)  # the server hears a little later that the tab has gone
    with reader.tab("glossary") as tab:
        assert answered(tab, order(tab, file)) == 0


def test_an_address_that_a_page_repeats_is_no_file_that_it_offers() -> None:
    # A reader can have a page say whatever they write into a field: a purpose that they give, or a name.
    repeated, offer, icon = ForwardMsg(), ForwardMsg(), ForwardMsg()
    repeated.delta.new_element.markdown.body = "for: /media/taken.xlsx"
    repeated.delta.new_element.text_input.value = "/media/taken.xlsx"
    offer.backend_operation_response.deferred_file.url = "/media/taken.xlsx"
    icon.page_config_changed.favicon = "/media/icon.png"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await PlainTextResponse("a file")(scope, receive, send)
            return
        while (await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "bytes": (await sent.get()).SerializeToString()})

    async def visit() -> list[int]:
        tab = asyncio.create_task(server({"type": "websocket", "path": "/_stcore/stream", "headers": []}, hear, ignore))
        statuses = [await status("taken.xlsx")]
        for message in (repeated, offer, icon):
            sent.put_nowait(message)
            heard.put_nowait({"type": "websocket.receive", "bytes": BackMsg(app_heartbeat=True).SerializeToString()})
            while not sent.empty():
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            statuses += [await status("taken.xlsx"), await status("icon.png")]
        heard.put_nowait({"type": "websocket.disconnect"})
        await tab
        return [*statuses, await status("taken.xlsx")]

    async def status(name: str) -> int:
        answers: list[Message] = []

        async def note(message: Message) -> None:
            answers.append(message)

        await server({"type": "http", "method": "GET", "path": f"/media/{name}", "headers": []}, hear, note)
        return answers[0]["status"]

    async def hear() -> Message:
        return await heard.get()

    async def ignore(_message: Message) -> None:
        pass

    heard: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[ForwardMsg] = asyncio.Queue()
    server = Presence(app)
    assert asyncio.run(visit()) == [404, 404, 404, 200, 404, 200, 200, 404]


# Branches outside -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def foreign_names(warehouse_file: Path) -> set[str]:
    """Names of branches that the manager of 10 does not see, and that are no part of a name that they see."""
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        own = connection.sql("SELECT name FROM branches WHERE path LIKE '1.10.%'").fetchall()
        other = connection.sql("SELECT name FROM branches WHERE path NOT LIKE '1.10.%'").fetchall()
    everything = "\n".join(name for (name,) in own)
    found = {name for (name,) in other if name not in everything}
    assert len(found) > 50
    return found


def test_branches_outside_are_shown_to_nobody_however_they_are_named(served: Bank, foreign_names: set[str]) -> None:
    reader = signed_in(served, "manager")
    for page in ("activation", "explorer"):
        with reader.tab(page) as tab:
            pickers = [tab.id_of("selectbox", key) for key in ("branch", "view_as")]
            for foreign in (*OUTSIDE, min(foreign_names)):
                tab.query = f"branch={urllib.request.quote(foreign)}&measures=signed&by=branch,head_office,outlet"
                tab.run()
                tab.run(states=dict.fromkeys(pickers, foreign))
            tab.query = ""
            tab.run()
            assert [name for name in foreign_names if name in tab.said] == []
            assert "Traceback" not in tab.said


def test_what_is_uploaded_is_not_taken_however_large_or_odd(served: Bank) -> None:
    before = served.memory()
    for path in ("_stcore/upload_file/a/b", "_stcore/upload_file", "complaints/_stcore/upload_file/a/b"):
        for method in ("PUT", "POST", "DELETE", "OPTIONS"):
            body = b"x" * 20_000_000 if method == "PUT" else b"PK\x03\x04"
            asked = urllib.request.Request(served.address + path, body, method=method)
            with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)) as refused:
                urllib.request.urlopen(asked, timeout=30)
            if isinstance(refused.value, urllib.error.HTTPError):
                assert refused.value.code in (404, 405)
                refused.value.close()
    assert served.memory() - before < 15_000_000


def test_the_log_names_no_customer_and_no_secret(served: Bank, warehouse_file: Path) -> None:
    log = served.log()
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        rows = connection.sql("SELECT name, phone FROM customers").fetchall()
    assert [clear for row in rows for clear in row if clear and len(clear) > 2 and clear in log] == []
    assert served.cookie_secret not in log
    assert not re.search(r"/media/\w+|eyJ[\w-]{20,}", log)
