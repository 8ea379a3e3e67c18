"""The text on which the small model is trained: four domains whose licence lets the weights be shipped.

======== ==================================================================== =======================
domain   what                                                                 licence
======== ==================================================================== =======================
code     sources of Python's standard library, docstrings taken out           PSF licence
English  docstrings of those sources, the language topics that come with      PSF licence; generated
         Python, and sentences of `explainers.grammar`                        here
German   sentences of `explainers.grammar`                                    generated here
sums     lines such as ``37 + 48 = 85``                                       generated here
======== ==================================================================== =======================

The text is the same for every machine with the same Python; between versions of Python the library differs,
so a model card names the version and `Corpus.digest`. Training and validation share no document: files and
topics are divided by the hash of their name, sentences and sums by the hash of the sentence itself.
"""

from __future__ import annotations

import ast
import hashlib
import os
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from explainers.errors import ExplainError
from explainers.grammar import english_sentence, german_sentence, sum_line

DOMAINS = ("code", "English", "German", "sums")
#: One document of this many goes to validation.
_HOLD_OUT = 12
#: Longer modules are cut, so that no single file is a large part of what is learnt.
_MODULE_CHARACTERS = 40_000
#: Pure-Python modules that Python 3.11 to 3.14 have in common; one that is missing is passed over.
MODULES = tuple(
    """abc argparse ast base64 bdb bisect bz2 calendar cmd code codecs codeop collections/__init__ colorsys
    compileall configparser contextlib contextvars copy copyreg csv dataclasses datetime decimal difflib dis
    doctest enum filecmp fileinput fnmatch fractions ftplib functools genericpath getopt getpass gettext glob
    graphlib gzip hashlib heapq hmac html/__init__ html/parser http/client http/cookies http/server imaplib inspect
    io ipaddress json/__init__ json/decoder json/encoder json/scanner json/tool keyword linecache locale
    logging/__init__ logging/config logging/handlers lzma mailbox mimetypes modulefinder netrc ntpath numbers
    opcode operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posixpath pprint
    profile pstats pty py_compile pyclbr pydoc queue quopri random reprlib rlcompleter runpy sched secrets
    selectors shelve shlex shutil signal site smtplib socket socketserver ssl stat statistics string stringprep
    struct subprocess symtable sysconfig tabnanny tarfile tempfile textwrap threading timeit token tokenize trace
    traceback tracemalloc tty turtle types typing unittest/case unittest/loader unittest/main unittest/mock
    unittest/result unittest/runner unittest/suite urllib/parse urllib/request urllib/robotparser uuid warnings
    wave weakref webbrowser xmlrpc/client xmlrpc/server zipapp zipfile zipimport
    email/_header_value_parser email/_policybase email/charset email/contentmanager email/generator email/header
    email/headerregistry email/message email/policy email/utils asyncio/base_events asyncio/events asyncio/futures
    asyncio/locks asyncio/queues asyncio/streams asyncio/subprocess asyncio/tasks concurrent/futures/_base
    concurrent/futures/process concurrent/futures/thread multiprocessing/connection multiprocessing/context
    multiprocessing/managers multiprocessing/pool multiprocessing/process multiprocessing/queues
    importlib/_bootstrap importlib/_bootstrap_external importlib/abc importlib/util xml/dom/minidom
    xml/etree/ElementTree xml/sax/handler sqlite3/dump wsgiref/handlers wsgiref/headers curses/textpad
    ctypes/util""".split()
)


@dataclass(frozen=True)
class Corpus:
    """Documents of each domain, for training and held out for validation."""

    train: dict[str, tuple[str, ...]]
    validation: dict[str, tuple[str, ...]]
    seed: int

    @property
    def digest(self) -> str:
        """SHA-256 over every document of both parts, in order."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation):
            for domain in DOMAINS:
                for document in part[domain]:
                    digest.update(document.encode() + b"\0")
        return digest.hexdigest()

    def text(self, domain: str, part: str = "train") -> str:
        """All documents of a domain, joined by an empty line."""
        documents = {"train": self.train, "validation": self.validation}[part]
        return "\n\n".join(documents[domain])


def is_held_out(name: str) -> bool:
    """Whether a document of this name belongs to validation; depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % _HOLD_OUT == 0


@cache
def build(seed: int = 0, sentences: int = 12_000, sums: int = 30_000) -> Corpus:
    """The whole corpus.

    Parameters
    ----------
    seed
        Seeds the generated part. The part that ships with Python does not depend on it.
    sentences, sums
        How many German sentences (English: a quarter of it) and sums to generate.

    Raises
    ------
    ExplainError
        Where the sources of the standard library are not on this machine.
    """
    code, prose = standard_library()
    documents = {
        "code": code,
        "English": {
            **prose,
            **language_topics(),
            **_generated("English", english_sentence, sentences // 4, seed, 20, " "),
        },
        "German": _generated("German", german_sentence, sentences, seed, 20, " "),
        "sums": _generated("sums", sum_line, sums, seed, 60, "\n"),
    }
    parts: list[dict[str, tuple[str, ...]]] = []
    for held in (False, True):
        parts.append(
            {
                domain: tuple(text for name, text in sorted(documents[domain].items()) if is_held_out(name) == held)
                for domain in DOMAINS
            }
        )
    return Corpus(parts[0], parts[1], seed)


def standard_library() -> tuple[dict[str, str], dict[str, str]]:
    """Module → source without docstrings, and module → its docstrings as prose."""
    root = Path(os.__file__).parent
    code, prose = {}, {}
    for module in MODULES:
        path = root / f"{module}.py"
        if not path.is_file():
            continue
        source = path.read_text(encoding="utf-8", errors="replace")
        try:
            stripped, docstrings = split_docstrings(source)
        except SyntaxError:
            continue
        code[module] = stripped[:_MODULE_CHARACTERS]
        if len(docstrings) > 200:
            prose[module] = docstrings[:_MODULE_CHARACTERS]
    if len(code) < 50:
        raise ExplainError(
            f"found {len(code)} sources of the standard library in {root}; training needs a Python with its .py files"
        )
    return code, prose


def split_docstrings(source: str) -> tuple[str, str]:
    """A module's source without its docstrings, and the docstrings, each dedented, with doctest lines left out."""
    lines = source.splitlines()
    found: list[str] = []
    drop: set[int] = set()
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, owners) or not node.body or ast.get_docstring(node, clean=False) is None:
            continue
        first = node.body[0]
        if len(node.body) > 1 or isinstance(node, ast.Module):  # an only child stays: a body may not be empty
            drop.update(range(first.lineno - 1, first.end_lineno or first.lineno))
        text = ast.get_docstring(node) or ""
        text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith((">>>", "...")))
        if len(text.split()) >= 8:
            found.append(textwrap.dedent(text).strip())
    kept = "\n".join(line for number, line in enumerate(lines) if number not in drop)
    return kept.strip() + "\n", "\n\n".join(found)


def language_topics() -> dict[str, str]:
    """The topics behind Python's ``help()``, by name: a language reference in English prose."""
    try:
        from pydoc_data.topics import topics
    except ImportError:
        return {}
    return {f"topic {name}": topics[name].strip()[:_MODULE_CHARACTERS] for name in sorted(topics)}


def _generated(
    domain: str, sentence: Callable[[Random], str], count: int, seed: int, per_document: int, joint: str
) -> dict[str, str]:
    """Generated sentences in documents; a sentence that is held out occurs in no training document."""
    draw = Random(f"{domain} {seed}")
    heaps: dict[bool, list[str]] = {False: [], True: []}
    for _ in range(count):
        text = sentence(draw)
        heaps[is_held_out(_split_key(text))].append(text)
    documents: dict[str, str] = {}
    for held, heap in heaps.items():
        names = _names(domain, held)
        for start in range(0, len(heap), per_document):
            documents[next(names)] = joint.join(heap[start : start + per_document])
    return documents


def _split_key(text: str) -> str:
    """What decides the part of a generated sentence: a sum goes by its operands, in any order."""
    question, _, result = text.partition(" = ")
    if not result:
        return text
    return " ".join(sorted(question.split()))


def _names(domain: str, held: bool) -> Iterator[str]:
    """Document names in order that `is_held_out` sends to the wanted part."""
    number = 0
    while True:
        name = f"generated {domain} {number:06d}"
        number += 1
        if is_held_out(name) == held:
            yield name
