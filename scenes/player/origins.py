"""Numbers and their chains of origin as the page reads them: each quantity once, its inputs by index, and its text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from explainers.quantities import Quantity
from explainers.traces import quantity_from_json

_ARXIV = re.compile(r"\b(?:arXiv[: ]\s*)?(\d{4}\.\d{4,5})\b")


class Origins:
    """Collects quantities; ``entries`` is the table, ``runs`` the traces that it names: (run, digest) → parameters."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.runs: dict[tuple[str, str], dict[str, Any]] = {}
        self._known: dict[str, int] = {}

    def add(self, data: Mapping[str, Any]) -> int:
        """The index of a quantity (as `Quantity.to_json` or a manifest writes it) in the table."""
        plain = {name: data.get(name) for name in ("name", "key", "value", "unit", "spread", "origin")}
        identity = json.dumps(plain, sort_keys=True)
        if identity not in self._known:
            entry = self._entry(quantity_from_json(plain), plain["origin"] or {})
            self._known[identity] = len(self.entries)
            self.entries.append(entry)
        return self._known[identity]

    def settle(self) -> None:
        """Give a number that names a run without its digest (a setting, said by a scene) the one that the film read."""
        for entry in self.entries:
            run = entry.get("computed", {}).get("run")
            if run and not run[1]:
                known = [digest for name, digest in self.runs if name == run[0]]
                run[1] = known[0] if len(known) == 1 else ""

    def _entry(self, quantity: Quantity, about: Mapping[str, Any]) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "name": quantity.name or quantity.short(),
            "key": quantity.key,
            "text": quantity.text(),
            "value": quantity.value,
            "unit": quantity.unit,
        }
        if quantity.spread is not None:
            entry["spread"] = quantity.spread
        if about["kind"] == "cited":
            cited = {name: about.get(name, "") for name in ("source", "where", "date", "confidence", "key")}
            return entry | {"cited": cited | {"url": address(about)}}
        inputs = [self.add(source) for source in about["inputs"]]
        entry["computed"] = {"formula": about["formula"], "inputs": inputs}
        if about["run"]:
            entry["computed"]["run"] = [about["run"], about["digest"]]
            if about["digest"]:
                self.runs.setdefault((about["run"], about["digest"]), dict(about["params"]))
        return entry


def address(cited: Mapping[str, Any]) -> str:
    """Where a source can be read: its own address if it is a web address, else arXiv's page where it names one."""
    url = str(cited.get("url") or "")
    if url.startswith(("https://", "http://")):
        return url
    found = _ARXIV.search(str(cited.get("source", "")))
    return f"https://arxiv.org/abs/{found[1]}" if found else ""
