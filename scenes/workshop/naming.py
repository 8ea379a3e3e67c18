"""Names of new things: what is allowed, and what follows from a name (heading, file, class)."""

from __future__ import annotations

import builtins
import keyword
import re

from explainers.errors import ExplainError

_CLASS = re.compile(r"[A-Z][A-Za-z0-9]*")
_FUNCTION = re.compile(r"[a-z][a-z0-9_]*")


def class_name(name: str, what: str) -> str:
    """``name`` if it can be a class: ``TheCacheGrows``. Otherwise an error that proposes one."""
    if _CLASS.fullmatch(name) and not _taken(name):
        return name
    proposed = "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z][A-Za-z0-9]*", name))
    hint = f"; did you mean {proposed}?" if proposed and proposed != name else "; write it like TheCacheGrows"
    raise ExplainError(f"{name!r} cannot be the name of a {what}{hint}")


def function_name(name: str, what: str) -> str:
    """``name`` if it can be a function: ``cache_held``. Otherwise an error that proposes one."""
    if _FUNCTION.fullmatch(name) and not _taken(name):
        return name
    proposed = "_".join(re.findall(r"[a-z][a-z0-9]*", snake(name)))
    hint = f"; did you mean {proposed}?" if proposed and proposed != name else "; write it like cache_held"
    raise ExplainError(f"{name!r} cannot be the name of a {what}{hint}")


def _taken(name: str) -> bool:
    return keyword.iskeyword(name) or keyword.issoftkeyword(name) or hasattr(builtins, name)


def snake(name: str) -> str:
    """``"TheKVCache"`` → ``"the_kv_cache"``; words of a title likewise."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return "_".join(re.findall(r"\w+", re.sub(r"['’]", "", apart).lower()))


def words(name: str) -> str:
    """``"TheKVCacheGrows"`` → ``"The KV cache grows"``: a class name as a heading."""
    first, *rest = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).split()
    return " ".join([first, *(word if len(word) > 1 and word.isupper() else word.lower() for word in rest)])
