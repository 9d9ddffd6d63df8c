"""Runs programs unchanged over the faces: ``import requests`` gives them ``pabal.requests``.

    python -m pabal.alias requests,niquests script.py args…
    python -m pabal.alias requests -m pytest …
    python -m pabal.alias requests -c "import requests; …"

The modules are the very same objects (``requests.sessions is pabal.requests.sessions``), so that patches by dotted
name, pickles and plugins meet the face. Python subprocesses inherit the wish through the environment (PABAL_ALIAS, and
an entry of PYTHONPATH with a ``sitecustomize`` that steps aside at once). Nothing is shadowed unless it was named here.
"""

from __future__ import annotations

import os
import sys

from pabal.alias._finder import FaceFinder

__all__ = ["FACES", "active", "install"]

#: What can be asked for, and who answers.
FACES: dict[str, str] = {
    "requests": "pabal.requests",
    "niquests": "pabal.niquests",
    "httpx": "pabal.httpx",
    "aiohttp": "pabal.aiohttp",
    "curl_cffi": "pabal.curl_cffi",
}

#: How subprocesses hear of it: the names; and where pabal lies, for those whose path does not lead there.
NAMES_VARIABLE = "PABAL_ALIAS"
ROOT_VARIABLE = "PABAL_ALIAS_ROOT"
_SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_site")


def active() -> list[str]:
    """The names that are answered by faces in this process."""
    return sorted({name for finder in sys.meta_path if isinstance(finder, FaceFinder) for name in finder.faces})


def install(names: str | list[str], *, subprocesses: bool = True) -> None:
    """Answers these names by their faces from now on, in this process and, unless told otherwise, its subprocesses.

    A module that was imported under such a name already is put aside; what somebody took from it stays what it is.
    ValueError for a name that no face here answers.
    """
    wanted = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    faces: dict[str, str] = {}
    for name in wanted:
        if name not in FACES:
            raise ValueError(f"no face is called {name!r}; there are {', '.join(FACES)}")
        if not FaceFinder.exists(FACES[name]):
            raise ValueError(f"this pabal has no face for {name} yet")
        faces[name] = FACES[name]
    for loaded in list(sys.modules):
        top = loaded.partition(".")[0]
        if top in faces and not sys.modules[loaded].__name__.startswith("pabal."):
            del sys.modules[loaded]
    sys.meta_path.insert(0, FaceFinder(faces))
    if subprocesses:
        _tell_subprocesses()


def _tell_subprocesses() -> None:
    os.environ[NAMES_VARIABLE] = ",".join(active())
    os.environ[ROOT_VARIABLE] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.environ.get("PYTHONPATH", "")
    entries = [entry for entry in path.split(os.pathsep) if entry]
    if _SITE not in entries:
        os.environ["PYTHONPATH"] = os.pathsep.join([_SITE, *entries])
