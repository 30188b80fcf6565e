"""Files that open with a password alone: encrypted as Excel does it, everything else as an archive."""

from __future__ import annotations

import io

import pyzipper
from msoffcrypto.format.ooxml import OOXMLFile


def protected_name(name: str, password: str) -> str:
    """The name under which the file `name` is handed over: an archive has an ending of its own."""
    return name if not password or name.endswith(".xlsx") else f"{name}.zip"


def protected(file: bytes, name: str, password: str) -> bytes:
    """`file` encrypted with AES: a workbook as Excel itself encrypts it (ECMA-376, agile), anything else in a ZIP archive (AE-2, 256
    bits) that 7-Zip and most unpackers open. Without a password the file as it is."""
    if not password:
        return file
    made = io.BytesIO()
    if name.endswith(".xlsx"):
        OOXMLFile(io.BytesIO(file)).encrypt(password, made)
        return made.getvalue()
    with pyzipper.AESZipFile(made, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        archive.writestr(name, file)
    return made.getvalue()
