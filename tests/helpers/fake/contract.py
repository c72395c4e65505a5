"""Holds requests and answers of Spotify's Web API against an OpenAPI description of it.

contract = Contract(Path("spotify-openapi.yaml"))
contract.request(fake.log[0])    what is wrong with a request: no such path, limit above its maximum, ...
contract.answer(fake.log[0])     what is wrong with its answer: fields missing, of the wrong type, not described
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from helpers.fake.server import Request

Schema = dict[str, Any]


class Contract:
    """The description, repaired so that answers can be held against it.

    Three repairs: names that are deprecated are not required any more (the new apps do not get them); the
    `discriminator` of a playlist's entry goes (its value `track` is no schema's name, so nothing would ever match);
    and an error needs no `message` (audio features are refused without one).
    """

    def __init__(self, path: Path) -> None:
        import jsonschema
        import yaml

        text = path.read_text(encoding="utf-8")
        self.api: Schema = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.schemas: dict[str, Schema] = self.api["components"]["schemas"]
        for schema in list(_dicts(self.api["components"])):
            self._repair(schema)
        self.schemas["ErrorObject"]["required"].remove("message")
        # Draft 4 is what OpenAPI 3.0 is made from: what stands beside a $ref does not count.
        self.validator = jsonschema.Draft4Validator({"components": self.api["components"]})
        self.operations = [
            (method.upper(), _pattern(where), operation)
            for where, several in self.api["paths"].items()
            for method, operation in several.items()
        ]

    def _repair(self, schema: Schema) -> None:
        if isinstance(schema.get("required"), list):
            known = self.properties(schema)
            schema["required"] = [name for name in schema["required"] if not known.get(name, {}).get("deprecated")]
            if not schema["required"]:
                del schema["required"]
        if isinstance(schema.get("discriminator"), dict):
            del schema["discriminator"]
        if schema.pop("nullable", False):
            # OpenAPI 3.0 says it beside the type; JSON Schema has it among the types.
            schema["type"] = [schema["type"], "null"]

    def find(self, value: Any) -> Any:
        """What a `$ref` stands for."""
        while isinstance(value, dict) and "$ref" in value:
            name = value["$ref"]
            value = self.api
            for part in name.removeprefix("#/").split("/"):
                value = value[part]
        return value

    def properties(self, schema: Schema) -> dict[str, Schema]:
        """All properties that a schema describes, those of its parts too."""
        schema = self.find(schema)
        found: dict[str, Schema] = {}
        for part in schema.get("allOf", ()):
            found |= self.properties(part)
        own = schema.get("properties")
        return found | (own if isinstance(own, dict) else {})

    def operation(self, request: Request) -> Schema | None:
        """The description of what a request asks for; the longest path wins (/me/top over /{id}/top)."""
        where = request.path.removeprefix("/v1").rstrip("/")  # spotipy asks for /me/
        fits = [(p, o) for method, p, o in self.operations if method == request.method and re.fullmatch(p, where)]
        return max(fits, key=lambda pair: len(pair[0]))[1] if fits else None

    def deprecated(self, request: Request) -> bool:
        """Whether February 2026 took it from the smaller apps, or November 2024 from the new ones."""
        operation = self.operation(request)
        return bool(operation and operation.get("deprecated"))

    def request(self, request: Request) -> list[str]:
        """What is wrong with a request, in sentences."""
        operation = self.operation(request)
        if operation is None:
            return [f"{request.method} {request.path}: no such operation"]
        known = {(one["in"], one["name"]): one for one in map(self.find, operation.get("parameters", []))}
        wrong = [f"{name}: not described" for name in request.query if ("query", name) not in known]
        for (place, name), one in known.items():
            if place == "query" and name in request.query:
                wrong += [f"{name}: {text}" for text in self._value(request.query[name], one["schema"])]
            elif place == "query" and one.get("required"):
                wrong.append(f"{name}: required")
        described = self.find(operation.get("requestBody", {}))
        if request.body:
            schema = described.get("content", {}).get("application/json", {}).get("schema")
            wrong += ["body: not described"] if schema is None else self._check(request.json, schema, "body")
            for name, one in (self.properties(schema) if schema else {}).items():
                several = request.json.get(name) if isinstance(request.json, dict) else None
                if isinstance(several, list) and len(several) > _most(one):
                    wrong.append(f"body.{name}: {len(several)} are more than {_most(one)}")
        scopes: list[str] = next(iter(operation.get("security", [{}])[0].values()), [])
        return [f"{request.method} {request.path} {text}" for text in wrong] + [
            f"{request.method} {request.path}: no scope" for _ in [0] if scopes and not request.auth
        ]

    def _value(self, text: str, schema: Schema) -> list[str]:
        """A value of the query against its schema, and against the "Maximum: 40" of its prose."""
        if schema.get("type") == "array":
            parts = text.split(",")
            return [wrong for part in parts for wrong in self._value(part, schema["items"])]
        value: Any = text
        if schema.get("type") in ("integer", "number") and re.fullmatch(r"-?\d+(\.\d+)?", text):
            value = float(text) if "." in text else int(text)
        wrong = self._check(value, schema, text)
        if schema.get("type") == "string" and len(text.split(",")) > _most(schema):
            wrong.append(f"{len(text.split(','))} are more than {_most(schema)}")
        return wrong

    def answer(self, request: Request) -> list[str]:
        """What is wrong with the answer to a request, in sentences."""
        operation = self.operation(request)
        if operation is None or request.status is None:
            return []
        where = f"{request.method} {request.path} {request.status}"
        response = self.find(operation["responses"].get(str(request.status)))
        if response is None:
            if request.status < 400:
                return [f"{where}: this status is not described"]
            response = self.find(operation["responses"]["403"])  # errors have one shape
        described = response.get("content", {}).get("application/json", {}).get("schema")
        if described is None:
            return [f"{where}: a body where none is described"] if request.answer else []
        try:
            body = json.loads(request.answer)
        except ValueError:
            return [f"{where}: no JSON"]
        return [f"{where} {wrong}" for wrong in self._check(body, described, "") + list(self.extra(body, described))]

    def _check(self, value: Any, schema: Schema, where: str) -> list[str]:
        return [
            f"{where}{''.join(f'.{part}' for part in one.absolute_path)}: {one.message[:200]}"
            for one in self.validator.evolve(schema=schema).iter_errors(value)
        ]

    def extra(self, value: Any, schema: Schema, where: str = "", deprecated: bool = False) -> Iterator[str]:
        """Names in an answer that are not described, or with `deprecated` those that are to go."""
        schema = self.find(schema)
        if isinstance(value, list) and "items" in schema:
            for one in value:
                yield from self.extra(one, schema["items"], where, deprecated)
        if not isinstance(value, dict):
            return
        for choice in schema.get("oneOf", ()):
            if value.get("type") in self.properties(choice).get("type", {}).get("enum", ()):
                yield from self.extra(value, choice, where, deprecated)
        known = self.properties(schema)
        if not known:
            return
        for name, inner in value.items():
            if name not in known:
                yield f"{where}.{name}: not described"
                continue
            if deprecated and known[name].get("deprecated"):
                yield f"{where}.{name}: deprecated"
            for part in (known[name], *known[name].get("allOf", ())):
                yield from self.extra(inner, part, f"{where}.{name}", deprecated)


def _dicts(value: Any) -> Iterator[Schema]:
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _dicts(one)


def _pattern(where: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(unquote(where)))


def _most(schema: Schema) -> int:
    """How many ids the prose allows; where it names no number, any."""
    found = re.search(r"[Mm]aximum: (\d+)|[Mm]aximum of (\d+) (?:items|objects)", schema.get("description", ""))
    return int(found[1] or found[2]) if found else 10**9
