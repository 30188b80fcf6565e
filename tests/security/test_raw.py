"""What somebody gets who talks to the server without a browser: raw websockets, made-up cookies, other people's addresses."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from itsdangerous import URLSafeTimedSerializer
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed

from tests.security.bank_server import ROOT, Bank
from tests.security.tab import Reader, Tab

PAGES = sorted({path.stem for path in (ROOT / "pages").glob("*.py")} - {"frame"} | {"", "frame", "nowhere"})


def seen(tab: Tab, secret_words: set[str]) -> list[str]:
    """What of the warehouse has reached a tab."""
    return [word for word in secret_words if word in tab.said]


def test_the_first_visits_of_a_fresh_server_all_at_once_show_nothing_without_sign_in(
    served: Bank, secret_words: set[str]
) -> None:
    # The module's first test: no script has run yet. They begin together, so that each of them may be the first.
    begin = Barrier(len(PAGES))

    def visit(page: str) -> tuple[bool, list[str]]:
        begin.wait()
        with Reader(served).tab(f"{page}?branch=10&period=12_months") as tab:
            return tab.asks_to_sign_in, seen(tab, secret_words)

    with ThreadPoolExecutor(len(PAGES)) as pool:
        assert dict(zip(PAGES, pool.map(visit, PAGES), strict=True)) == dict.fromkeys(PAGES, (True, []))


def test_whoever_signs_in_sees_the_warehouse_and_so_the_words_would_be_found(
    served: Bank, secret_words: set[str]
) -> None:
    reader = Reader(served)
    assert reader.sign_in("head", link="complaints?branch=10") == f"{served.address}complaints?branch=10"
    with reader.tab("complaints") as tab:
        assert not tab.asks_to_sign_in
        assert len(seen(tab, secret_words)) > 10


def test_pages_named_by_hash_run_through_the_frame(served: Bank, secret_words: set[str]) -> None:
    signed_in = Reader(served)
    signed_in.sign_in("head")
    with signed_in.tab("complaints") as tab:
        pages = [m.navigation.app_pages for m in tab.messages if m.HasField("navigation")][-1]
        hashes = [page.page_script_hash for page in pages]
    assert len(hashes) > 4
    with Reader(served).tab() as tab:
        for hash_ in [*hashes, "", "0" * 32, "../pages/complaints.py"]:
            tab.run(page_script_hash=hash_, page_name="complaints")
            assert tab.asks_to_sign_in
            fragment = BackMsg()
            fragment.rerun_script.page_script_hash = hash_
            fragment.rerun_script.fragment_id = "anything"
            tab.put(fragment)  # to which nothing is answered
            tab.run()
        assert seen(tab, secret_words) == []


def test_widget_states_that_somebody_made_up_open_nothing(served: Bank, secret_words: set[str]) -> None:
    signed_in = Reader(served)
    signed_in.sign_in("head")
    with signed_in.tab("complaints") as tab:
        ids = set(re.findall(r"\$\$ID-[0-9a-f]{32}-\w+", tab.said))
    assert len(ids) > 5
    with Reader(served).tab("complaints") as tab:
        tab.run(states=dict.fromkeys([*ids, "desk", "_page", "is_logged_in"], "10"))
        assert tab.asks_to_sign_in
        for id_ in ids:
            tab.run(pressed=id_)
        assert seen(tab, secret_words) == []


def test_orders_that_no_reader_may_give_are_not_heard(served: Bank) -> None:
    reader = Reader(served)
    reader.sign_in("head")
    with reader.tab() as tab:
        for order in (
            BackMsg(clear_cache=True),
            BackMsg(debug_shutdown_runtime=True),
            BackMsg(debug_disconnect_websocket=True),
        ):
            tab.put(order)
        assert tab.run()  # it still answers, and nothing else
    assert "Client tried to" not in served.log()  # Streamlit would say so of two of them
    assert reader.get("_stcore/health")[0] == 200


def identity(bank: Bank, **changed: object) -> dict[str, object]:
    now = int(time.time())
    told = {
        "iss": bank.provider,
        "aud": "dashboard",
        "sub": "id-of-head",
        "email": "head@bank.example",
        "name": "Head",
        "groups": ["analysts"],
        "iat": now,
        "exp": now + 3600,
        "nonce": secrets.token_hex(8),
        "origin": bank.address.rstrip("/"),
        "is_logged_in": True,
        "provider": "default",
    }
    return told | changed


def signed(secret: str, told: dict, name: str = "_streamlit_user") -> str:
    return URLSafeTimedSerializer(secret, salt=name).dumps(json.dumps(told))


def with_cookie(bank: Bank, value: str) -> Reader:
    fresh = Reader(bank)
    fresh.get("_stcore/health")
    return Reader(bank, f"{fresh.cookies}; _streamlit_user={value}")


def test_a_cookie_is_worth_its_signature_and_what_it_says_when(served: Bank, secret_words: set[str]) -> None:
    def seen_with(value: str) -> bool:
        with with_cookie(served, value).tab("complaints") as tab:
            assert tab.asks_to_sign_in != bool(seen(tab, secret_words))
            return not tab.asks_to_sign_in

    good, now = served.cookie_secret, int(time.time())
    assert seen_with(signed(good, identity(served)))  # so that the refusals below are for the reason they name
    body = base64.urlsafe_b64encode(json.dumps(identity(served)).encode()).decode()
    refused = {
        "another secret": signed("x" * 64, identity(served)),
        "no secret": signed("", identity(served)),
        "the secret of another cookie": signed(good, identity(served), "_streamlit_user_tokens"),
        "no signature": body,
        "run out": signed(good, identity(served, exp=now - 1)),
        "issued too long ago for one that nobody has seen": signed(good, identity(served, iat=now - 3000)),
        "without an end": signed(good, {k: v for k, v in identity(served).items() if k != "exp"}),
        "with an end in words": signed(good, identity(served, exp="tomorrow")),
        "without a time of issue": signed(good, {k: v for k, v in identity(served).items() if k != "iat"}),
        "without a subject": signed(good, identity(served, sub="")),
        "for another dashboard": signed(good, identity(served, origin="http://evil.example")),
        "not signed in": signed(good, identity(served, is_logged_in=False)),
        "signed in, so to speak": signed(good, identity(served, is_logged_in="true")),
    }
    assert {why for why, value in refused.items() if seen_with(value)} == set()


@pytest.mark.parametrize("group", [["nobody"], [], "Analysts", ["analysts "], [["analysts"]], {"analysts": 1}])
def test_a_group_that_is_not_exactly_one_of_ours_opens_nothing(
    served: Bank, secret_words: set[str], group: object
) -> None:
    with with_cookie(served, signed(served.cookie_secret, identity(served, groups=group))).tab("complaints") as tab:
        assert not tab.asks_to_sign_in
        assert "Ms Chen" in tab.said
        assert seen(tab, secret_words) == []


def test_a_cookie_copied_before_signing_out_is_worth_nothing_after(served: Bank, secret_words: set[str]) -> None:
    reader = Reader(served)
    reader.sign_in("head")
    copy = Reader(served, reader.cookies)
    with copy.tab("complaints") as tab:
        assert seen(tab, secret_words)
        reader.get("auth/logout")
        with pytest.raises(ConnectionClosed):
            tab.run()
    with copy.tab("complaints") as tab:
        assert tab.asks_to_sign_in
        assert seen(tab, secret_words) == []
    reader.sign_in("head")  # a new sign-in of the same person is another session
    with reader.tab("complaints") as tab:
        assert seen(tab, secret_words)
    with copy.tab("complaints") as tab:
        assert tab.asks_to_sign_in


def test_a_tab_that_does_nothing_is_closed_when_its_session_ends(served: Bank) -> None:
    reader, other = Reader(served), Reader(served)
    reader.sign_in("manager")
    other.sign_in("head")
    with reader.tab("complaints") as tab, other.tab("complaints") as anothers:
        assert "manager@bank.example" in served.command("sessions", "list")
        served.command("sessions", "end", "manager@bank.example")
        assert tab.until_closed(10)[-1].HasField("auth_redirect")
        assert anothers.run()
    listed = served.command("sessions", "list")
    assert "manager@bank.example" not in listed and "head@bank.example" in listed


def test_a_tab_whose_token_runs_out_is_closed(served: Bank) -> None:
    reader = Reader(served)
    reader.sign_in("head", seconds=5)
    with reader.tab("complaints") as tab:
        assert tab.until_closed(15)[-1].HasField("auth_redirect")
    with reader.tab("complaints") as tab:
        assert tab.asks_to_sign_in and "has run out" in tab.said


def test_nobody_takes_over_anothers_tab_by_its_number(served: Bank, secret_words: set[str]) -> None:
    owner, thief = Reader(served), Reader(served)
    owner.sign_in("head")
    thief.sign_in("stranger")
    with owner.tab("complaints") as tab:
        number = tab.session_id
        for reader in (thief, Reader(served)):
            with reader.tab("complaints", session=number) as taken:
                assert taken.session_id != number
                assert seen(taken, secret_words) == []
    for reader in (thief, Reader(served)):  # nor after it was closed, while Streamlit still keeps it
        with reader.tab("complaints", session=number) as taken:
            assert taken.session_id != number
            assert seen(taken, secret_words) == []


def exported(tab: Tab) -> str:
    """The address under which Streamlit serves a file that this tab has asked for."""
    (file,) = set(re.findall(r"/media/[\w.-]+\.xlsx", tab.said)) or {""}
    return file


def test_a_file_is_handed_to_whom_the_page_offered_it_and_to_nobody_else(served: Bank) -> None:
    owner, other = Reader(served), Reader(served)
    owner.sign_in("head")
    other.sign_in("manager")
    with owner.tab("complaints") as tab, other.tab("complaints"):
        button = next(
            m.delta.new_element.download_button
            for m in tab.messages
            if m.delta.new_element.download_button.id.endswith("_xlsx")
        )
        asked = BackMsg()
        asked.backend_operation_request.request_id = "1"
        asked.backend_operation_request.session_id = tab.session_id
        asked.backend_operation_request.deferred_file.file_id = button.deferred_file_id
        tab.send(asked, until="backend_operation_response")
        address = exported(tab)
        assert address
        assert owner.get(address)[0] == 200
        assert [reader.get(address)[0] for reader in (other, Reader(served))] == [404, 404]
        assert owner.get(address.replace(".xlsx", ".csv"))[0] == 404
        owner.get("auth/logout")
        assert Reader(served, owner.cookies).get(address)[0] == 404
    assert owner.get(address)[0] == 404


def test_headers_of_a_proxy_mean_nothing_where_none_is_set_up(served: Bank, secret_words: set[str]) -> None:
    claimed = {
        "X-Forwarded-Email": "head@bank.example",
        "X-Forwarded-Groups": "analysts",
        "X-Dashboard-Session": "1",
        "X-Dashboard-Secret": "x" * 32,
        "X-Streamlit-User": "eyJlbWFpbCI6ICJoZWFkQGJhbmsuZXhhbXBsZSJ9",
    }
    with Reader(served, headers=claimed).tab("complaints") as tab:
        assert tab.asks_to_sign_in
        assert seen(tab, secret_words) == []


def test_ten_thousand_tries_are_refused_cost_no_memory_and_leave_nothing_in_the_log(served: Bank) -> None:
    from tests.security.hammer import hammered

    reader = Reader(served)
    login = reader.login_address()
    hammered(served.address, login, 300)
    before, log_before = served.memory(), len(served.log())
    statuses = hammered(served.address, login, 10_000)
    assert set(statuses) <= {302, 303, 307, 429} and statuses[429] > 9_500
    assert served.memory() - before < 30_000_000
    log = served.log()
    assert len(log) - log_before < 100_000
    assert "code-that-somebody-guessed" not in log and "state-that-somebody-guessed" not in log


def test_no_secret_and_no_token_is_in_the_log(served: Bank) -> None:
    log = served.log() + (Path(served.folder) / "provider.log").read_text(encoding="utf-8")
    assert served.cookie_secret not in log and "a secret between the two" not in log
    assert not re.search(r"eyJ[\w-]{20,}|code=[\w-]{20}|_streamlit_user=", log)
    assert "Traceback" not in served.log()
