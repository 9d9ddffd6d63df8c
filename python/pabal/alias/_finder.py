"""The finder that answers one package's names with another's modules."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from types import CodeType, ModuleType
from typing import Any, cast

__all__ = ["FaceFinder"]


class _Loader:
    """Loads ``requests.sessions`` by handing out ``pabal.requests.sessions``."""

    def __init__(self, real: str) -> None:
        self._real = real
        self._spec: Any = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._real)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It has run already; the import system has put the alias's spec on it, which is not the module's own.
        module.__spec__ = self._spec

    # For runpy (python -m requests.help), inspect and linecache.

    def _real_loader(self) -> Any:
        spec = importlib.util.find_spec(self._real)
        if spec is None or spec.loader is None:
            raise ImportError(f"no module named {self._real!r}", name=self._real)
        return spec.loader

    def get_code(self, fullname: str) -> CodeType | None:
        code: CodeType | None = self._real_loader().get_code(self._real)
        return code

    def get_source(self, fullname: str) -> str | None:
        source: str | None = self._real_loader().get_source(self._real)
        return source

    def get_filename(self, fullname: str) -> str:
        return str(self._real_loader().get_filename(self._real))

    def is_package(self, fullname: str) -> bool:
        return bool(self._real_loader().is_package(self._real))


class _Distribution(importlib.metadata.Distribution):
    """The face as an installed distribution: its name and the version that it answers for."""

    def __init__(self, name: str, real: str) -> None:
        self._name = name
        self._real = real

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        version = importlib.import_module(self._real).__version__
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: {version}\nSummary: {self._real}\n"

    def locate_file(self, path: Any) -> Any:
        return path


class FaceFinder:
    """Stands first on ``sys.meta_path``; knows only the names it was given."""

    def __init__(self, faces: dict[str, str]) -> None:
        self.faces = faces

    @staticmethod
    def exists(module: str) -> bool:
        """Whether such a module could be imported."""
        return importlib.util.find_spec(module) is not None

    def _real(self, fullname: str) -> str | None:
        top, dot, rest = fullname.partition(".")
        face = self.faces.get(top)
        return None if face is None else face + dot + rest

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of an aliased name; None for others. What the face does not have is not taken from elsewhere."""
        real = self._real(fullname)
        if real is None:
            return None
        try:
            found = importlib.util.find_spec(real)
        except (ImportError, ValueError):
            found = None
        if found is None and (real in sys.modules or not self._attribute(real)):
            return None
        spec = importlib.machinery.ModuleSpec(
            fullname,
            cast("Any", _Loader(real)),
            origin=None if found is None else found.origin,
            is_package=bool(found and found.submodule_search_locations is not None),
        )
        if found is not None:
            spec.submodule_search_locations = found.submodule_search_locations
            spec.has_location = found.has_location
        return spec

    @staticmethod
    def _attribute(real: str) -> bool:
        """Whether a module is an attribute of its package (``requests.packages.chardet``); it is registered then."""
        package, _, name = real.rpartition(".")
        module = getattr(sys.modules.get(package), name, None)
        if not isinstance(module, ModuleType):
            return False
        sys.modules[real] = module
        return True

    def find_distributions(
        self,
        context: Any = importlib.metadata.DistributionFinder.Context(),  # noqa: B008
    ) -> Iterable[importlib.metadata.Distribution]:
        """``importlib.metadata.version("requests")`` says the version that the face answers for."""
        name: str | None = context.name
        for face, real in self.faces.items():
            if name is None or name.lower().replace("_", "-") == face.replace("_", "-"):
                yield _Distribution(face, real)

    def invalidate_caches(self) -> None:
        """Nothing is cached."""
