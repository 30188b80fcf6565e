"""A file with a password opens with it, with no other, and holds nothing in clear."""

from __future__ import annotations

import io

import msoffcrypto
import openpyxl
import pytest
import pyzipper
from msoffcrypto.exceptions import InvalidKeyError

from presentation.protection import protected, protected_name

PASSWORD = "猫 & dog"
SECRET = "Zhang Wei"


def workbook() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"] = SECRET
    book.save(file)
    return file.getvalue()


def opened(file: bytes, password: str) -> bytes:
    office, clear = msoffcrypto.OfficeFile(io.BytesIO(file)), io.BytesIO()
    assert office.is_encrypted()
    office.load_key(password=password, verify_password=True)
    office.decrypt(clear)
    return clear.getvalue()


def test_a_workbook_opens_with_its_password_and_no_other():
    file = workbook()
    kept = protected(file, "a.xlsx", PASSWORD)
    assert protected_name("a.xlsx", PASSWORD) == "a.xlsx"
    assert openpyxl.load_workbook(io.BytesIO(opened(kept, PASSWORD))).active["A1"].value == SECRET
    with pytest.raises(InvalidKeyError):
        opened(kept, "猫")


def test_any_other_file_is_an_archive_that_opens_with_its_password_and_no_other():
    text = f"name\n{SECRET}\n".encode()
    kept = protected(text, "a.csv", PASSWORD)
    assert protected_name("a.csv", PASSWORD) == "a.csv.zip"
    assert SECRET.encode() not in kept
    with pyzipper.AESZipFile(io.BytesIO(kept)) as archive:
        archive.setpassword(PASSWORD.encode())
        assert archive.read("a.csv") == text
        assert archive.infolist()[0].flag_bits & 1
        archive.setpassword(b"dog")
        with pytest.raises(RuntimeError, match="Bad password"):
            archive.read("a.csv")


def test_without_a_password_the_file_is_as_it_is():
    assert protected(b"a", "a.csv", "") == b"a"
    assert protected_name("a.csv", "") == "a.csv"
