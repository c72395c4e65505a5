"""Spotify's accounts service: the consent page and the token endpoint, PKCE checked for real."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from helpers.fake.scenarios import Scenario
from helpers.fake.server import Answer, Clock, Request

CODE_S = 600  # life of an authorization code
LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(:\d+)?/")


@dataclass
class Consent:
    """What a person once agreed to; it dies six months later, however often its tokens are renewed."""

    scopes: set[str]
    at: float
    refresh: str = ""
    spent: set[str] = field(default_factory=set)  # refresh tokens that were rotated away
    user: bool = True  # False: the app alone, by its secret


@dataclass
class Code:
    challenge: str
    redirect: str
    consent: Consent
    until: float
    used: bool = False


class Accounts:
    """The state of the accounts service for one app and one user."""

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        self.scenario, self.clock = scenario, clock
        self.client_id, self.client_secret = "c" * 31 + "1", "s" * 32
        self.agrees = True
        self.codes: dict[str, Code] = {}
        self.consents: list[Consent] = []
        self.access: dict[str, tuple[Consent, float]] = {}  # token: consent, end of its life

    def authorize(self, request: Request) -> Answer:
        """The consent page: sends the browser back at once, for the person has made up its mind."""
        query = request.query
        redirect = query.get("redirect_uri", "")
        if query.get("client_id") != self.client_id:
            return _page("INVALID_CLIENT: Invalid client")
        if urlsplit(redirect).hostname == "localhost" or not (
            LOOPBACK.match(redirect) or redirect.startswith("https:")
        ):
            return _page("INVALID_CLIENT: Insecure redirect URI")
        # Registered is http://127.0.0.1/callback without a port, which allows any port.
        if urlsplit(redirect).path != "/callback":
            return _page("INVALID_CLIENT: Invalid redirect URI")
        if query.get("response_type") != "code":
            return _page("response_type must be code")  # the implicit grant is gone since 2025-11-27
        challenge = query.get("code_challenge", "")
        if query.get("code_challenge_method") != "S256" or not re.fullmatch(r"[\w-]{43}", challenge):
            return _page("code_challenge_method must be S256")
        back = {"state": query["state"]} if "state" in query else {}
        if not self.agrees:
            return _back(redirect, {"error": "access_denied"} | back)
        code = secrets.token_urlsafe(60)
        consent = Consent(self._scopes(query.get("scope", "")), self.clock.now())
        self.codes[code] = Code(challenge, redirect, consent, self.clock.now() + CODE_S)
        return _back(redirect, {"code": code} | back)

    def _scopes(self, asked: str) -> set[str]:
        most = self.scenario.grantable
        return set(asked.split()) if most is None else set(asked.split()) & set(most.split())

    def token(self, request: Request) -> Answer:
        """The token endpoint."""
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _wrong("invalid_request", "Content-Type must be application/x-www-form-urlencoded", 415)
        form = request.form
        grant = form.get("grant_type")
        if grant == "client_credentials":
            basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
            if request.auth != f"Basic {basic}":
                return _wrong("invalid_client", "Invalid client secret")
            return Answer(200, self._issue(Consent(set(), self.clock.now(), user=False)))
        if form.get("client_id") != self.client_id:
            return _wrong("invalid_client", "Invalid client")
        if grant == "authorization_code":
            return self._first(form)
        if grant == "refresh_token":
            answer = self._again(form)
            if answer.status != 200:
                request.refused = f"refresh token {form.get('refresh_token')}"  # it stays dead
            return answer
        return _wrong(
            "unsupported_grant_type", "grant_type must be client_credentials, authorization_code or refresh_token"
        )

    def _first(self, form: dict[str, str]) -> Answer:
        code = self.codes.get(form.get("code", ""))
        if code is None or code.used:
            return _wrong("invalid_grant", "Invalid authorization code")
        if self.clock.now() > code.until:
            return _wrong("invalid_grant", "Authorization code expired")
        if form.get("redirect_uri") != code.redirect:
            return _wrong("invalid_grant", "Invalid redirect URI")
        verifier = form.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if not re.fullmatch(r"[\w.~-]{43,128}", verifier) or digest != code.challenge:
            return _wrong("invalid_grant", "code_verifier was incorrect")
        code.used = True
        self.consents.append(code.consent)
        return Answer(200, self._issue(code.consent))

    def _again(self, form: dict[str, str]) -> Answer:
        refresh = form.get("refresh_token", "")
        for consent in self.consents:
            if refresh in consent.spent:
                return _wrong("invalid_grant", "Invalid refresh token")
            if refresh and refresh == consent.refresh:
                break
        else:
            return _wrong("invalid_grant", "Invalid refresh token")
        if self.scenario.revoked:
            return _wrong("invalid_grant", "Refresh token revoked")
        if self.clock.now() >= consent.at + self.scenario.consent_s:
            return _wrong("invalid_grant", "Refresh token expired")
        return Answer(200, self._issue(consent, first=False))

    def _issue(self, consent: Consent, first: bool = True) -> dict[str, Any]:
        access = "BQ" + secrets.token_urlsafe(80)
        self.access[access] = (consent, self.clock.now() + self.scenario.token_s)
        token = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.scenario.token_s,
            "scope": " ".join(sorted(consent.scopes)),
        }
        if not consent.user:
            return token
        if first or self.scenario.rotates:
            consent.spent |= {consent.refresh} - {""}
            consent.refresh = "AQ" + secrets.token_urlsafe(80)
            token["refresh_token"] = consent.refresh
        return token

    def grant(self, scope: str, age: float = 0.0) -> dict[str, Any]:
        """A token as if the user had agreed `age` seconds ago."""
        consent = Consent(self._scopes(scope), self.clock.now() - age)
        self.consents.append(consent)
        return self._issue(consent)

    def expire(self) -> None:
        """End the life of all access tokens that are out."""
        self.access = {token: (consent, self.clock.now()) for token, (consent, _) in self.access.items()}

    def revoke(self) -> None:
        """The user takes back his consent: nothing that is out is good any more."""
        self.access.clear()
        self.consents.clear()


def _page(text: str) -> Answer:
    """What a person reads in the browser; nobody is sent back to the client."""
    return Answer(400, text.encode(), kind="text/html; charset=utf-8")


def _back(redirect: str, query: dict[str, str]) -> Answer:
    return Answer(302, None, {"Location": f"{redirect}?{urlencode(query)}"})


def _wrong(error: str, description: str, status: int = 400) -> Answer:
    return Answer(status, {"error": error, "error_description": description})
