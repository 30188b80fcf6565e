"""A small OpenID provider for tests: PKCE, nonces, several people with groups, tokens that run out; it can be down.

It signs in whoever it is told to, without a password: `POST /next` chooses. Beside the server it is a second process;
`python -m tests.security.provider PORT` runs it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import sys
import time
from typing import Any

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "dashboard", "a secret between the two"

PEOPLE = {
    "head": {"email": "head@bank.example", "name": "Head Office", "groups": ["analysts"]},
    "manager": {"email": "manager@bank.example", "name": "Branch Manager", "groups": ["managers"]},
    "deputy": {
        "email": "deputy@bank.example",
        "name": "<b>Deputy</b> [x](http://evil.example)",
        "groups": ["managers"],
    },
    "leader": {"email": "leader@bank.example", "name": "Team Leader", "groups": ["leaders"]},
    "agent": {"email": "agent@bank.example", "name": "Agent", "groups": ["agents"]},
    "steward": {"email": "steward@bank.example", "name": "Data Steward", "groups": ["stewards"]},
    "auditor": {"email": "auditor@bank.example", "name": "Auditor", "groups": ["auditors", "everybody"]},
    "branch auditor": {"email": "branch.auditor@bank.example", "name": "Branch Auditor", "groups": ["branch auditors"]},
    "stranger": {"email": "stranger@bank.example", "name": "<b>Stranger</b> [x](http://evil.example)", "groups": []},
}


class Provider:
    """What it knows: its key, who signs in next, for how long, and the codes that are not used yet."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._key = RSAKey.generate_key(2048, {"kid": "tests", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, tuple[dict[str, str], str]] = {}
        self._person = "head"
        self._seconds = 3600
        self._down = False
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._up(self._metadata)),
                Route("/keys", self._up(self._keys)),
                Route("/authorize", self._up(self._authorize)),
                Route("/token", self._up(self._token), methods=["POST"]),
                Route("/logout", self._up(self._logout)),
                Route("/next", self._next, methods=["POST"]),
                Route("/health", lambda _request: PlainTextResponse("ok")),
            ]
        )

    def _up(self, answer):
        async def unless_down(request: Request) -> Response:
            return PlainTextResponse("down", 503) if self._down else await answer(request)

        return unless_down

    async def _next(self, request: Request) -> Response:
        told = await request.json()
        self._person = told.get("person", self._person)
        self._seconds = told.get("seconds", self._seconds)
        self._down = told.get("down", self._down)
        return PlainTextResponse("ok")

    async def _metadata(self, _request: Request) -> Response:
        at = self._address
        return JSONResponse(
            {
                "issuer": at,
                "authorization_endpoint": f"{at}/authorize",
                "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/keys",
                "end_session_endpoint": f"{at}/logout",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256" and asked["nonce"] and asked["state"]
        code = secrets.token_urlsafe(24)
        self._codes[code] = asked, self._person
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}", 302)

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        asked, person = self._codes.pop(str(form["code"]), (None, None))
        if asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        challenge = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        if base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self._address,
            "aud": CLIENT_ID,
            "sub": f"id-of-{person}",
            "iat": now,
            "exp": now + self._seconds,
            "nonce": asked["nonce"],
            "email_verified": True,
            **PEOPLE[person],
        }
        token = jwt.encode({"alg": "RS256", "kid": "tests"}, claims, self._key)
        return JSONResponse(
            {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": 60, "id_token": token}
        )

    async def _logout(self, request: Request) -> Response:
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)


if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(Provider(f"http://127.0.0.1:{port}").app, host="127.0.0.1", port=port, log_level="warning")
